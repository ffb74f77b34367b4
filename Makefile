# Everything that a person or a machine does with a checkout. `make run` and `make test` need nothing but Python and make.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-fast check autobahn audit format news wheel try-wheel try-tools try-container release-check oldest-trio newest-trio clean help

help:
	@echo "make run       set up, start the server, print its address"
	@echo "make test      set up, run every test"
	@echo "make test-fast set up, run the tests that need no engine, socket, process or browser"
	@echo "make check     set up, then lint, format check, types and the layers"
	@echo "make autobahn  set up, run the Autobahn cases against the server's WebSockets"
	@echo "make audit     compare the pinned versions with known advisories"
	@echo "make format    write the code in its one format"
	@echo "make news      print what newsfragments/ would add to the changelog"
	@echo "make wheel     build the wheel and the source archive into dist/"
	@echo "make try-wheel talk to what make wheel built, in an environment of its own"
	@echo "make try-tools the same, as uv and pipx install it"
	@echo "make try-container  talk to what deploy/Containerfile makes, without a container engine"
	@echo "make clean     remove what make made"

run: $(VENV)/.run
	@exec $(BIN)/voice-trio serve

# Many tests wait rather than compute, and there is room beside them on a machine with two processors. One that is
# done takes over from another what that one has not begun.
TESTS_AT_ONCE ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(TESTS_AT_ONCE) --dist worksteal

test: $(VENV)/.dev
	$(PYTEST)

test-fast: $(VENV)/.dev
	$(PYTEST) -m "not real"

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py

autobahn: $(VENV)/.autobahn
	$(BIN)/python -m pytest tests/server/test_autobahn.py

# In an environment of its own, since it shares some of what it depends on with the server. `--strict`, because a package
# that could not be looked up is no clean one.
audit:
	@test -x $(VENV)-audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)-audit && $(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'; }
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip -r constraints.txt || { echo "Either an advisory stands above, or the database of advisories could not be asked." >&2; exit 1; }

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

news: $(VENV)/.dev
	$(BIN)/towncrier build --draft --version next

wheel: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build

# Away from the checkout, or it would be the checkout that is tried.
try-wheel:
	rm -rf $(VENV)-wheel
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	cd $(VENV)-wheel && STREAM_DATA_DIR=data bin/voice-trio talk --text "Is anybody there?"

# As those install it who have no checkout: into an empty home, with the newest of what pyproject.toml allows, and used with
# nothing else in the environment.
TOOLS := $(CURDIR)/$(VENV)-tools
try-tools:
	rm -rf $(TOOLS)
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 pipx==1.18.4
	set -e; for how in "uv tool" pipx; do \
		rm -rf $(TOOLS)/home; mkdir $(TOOLS)/home; cd $(TOOLS)/home; \
		HOME=$$PWD XDG_DATA_HOME= XDG_CACHE_HOME= UV_PYTHON_DOWNLOADS=never UV_PYTHON=$$(command -v $(PYTHON)) \
			PIPX_DEFAULT_PYTHON=$$(command -v $(PYTHON)) PATH=$(TOOLS)/bin:$$PATH $$how install $(CURDIR)/dist/*.whl; \
		env -i HOME=$$PWD PATH=$$PWD/.local/bin:/usr/bin:/bin voice-trio talk $(CURDIR)/examples/question.wav; \
	done

# The image of deploy/Containerfile, without a container engine: as root, with bubblewrap.
try-container: $(VENV)/.dev
	$(BIN)/python tools/try_container.py

# TAG=v1.2.3: that it is the version, that the changelog has that version's section, and that no news is left out of it.
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
release-check:
	@test "$(TAG)" = "v$(VERSION)" || { echo "The tag is '$(TAG)', and pyproject.toml has version $(VERSION)." >&2; exit 1; }
	@grep -q '^## $(VERSION) (' CHANGELOG.md || { echo "CHANGELOG.md has no section of version $(VERSION). Write it: towncrier build --version $(VERSION)" >&2; exit 1; }
	@test -z "$$(ls newsfragments | grep -v '^README.md$$')" || { echo "newsfragments/ has news that CHANGELOG.md has not. Write them: towncrier build --version $(VERSION)" >&2; exit 1; }

# For the tests after them: the Trio that is installed, at either end of what pyproject.toml allows.
oldest-trio: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "trio==$$(sed -n 's/^ *"trio>=\([0-9.]*\),.*/\1/p' pyproject.toml)"

newest-trio: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "$$(sed -n 's/^ *"\(trio>=[^"]*\)",.*/\1/p' pyproject.toml)"

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "voice_trio needs Python 3.11, 3.12 or 3.13; none of python3, python3.13, python3.12 and python3.11 is one of them." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu, python3-venv must be installed." >&2; exit 1; }

# The versions in constraints.txt are those that were tested; pyproject.toml has the ranges.
$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python tools/install.py -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.run

# The runner of the Autobahn cases. It depends on nothing, and there are machines that it was not built for.
$(VENV)/.autobahn: | $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: kosoku==0.1.0
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-audit $(VENV)-wheel $(VENV)-tools build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
