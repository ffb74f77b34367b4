import pytest

from voice_trio.memory.base import StoreError
from voice_trio.memory.in_process import InProcessStore


class FullStore(InProcessStore):
    async def commit(self, record):
        raise StoreError("no space left on device")


@pytest.fixture
def full_store():
    return FullStore()
