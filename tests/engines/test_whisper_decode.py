"""Decodes on models of Whisper's shape whose words mean nothing: what is given to the library is seen on its way."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from faster_whisper import WhisperModel

from tools.make_shape_model import Shape, make
from voice_trio.config import load
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.engines.decoding.pieces import Cut, pieces
from voice_trio.engines.whisper.decode import Asked, WhisperDecoder, floats
from voice_trio.engines.whisper.loading import load as load_whisper

pytestmark = pytest.mark.real

S = SAMPLE_RATE
SMALL = Shape(width=64, heads=2, layers=2, text_tokens=600, tokens=8)


def hum(seconds):
    return (np.sin(np.arange(round(seconds * S)) / 9) * 0.3).astype(np.float32)


class Watched:
    """A model, and what was asked of it."""

    def __init__(self, model):
        self._model = model
        self.model = SimpleNamespace(
            is_multilingual=model.model.is_multilingual, generate=self._generate, detect_language=self._detect
        )
        self.frames = []
        self.prompts = []
        """The first of each call of `generate`."""
        self.all_prompts = []
        self.limits = []
        self.tokens = []
        """How many the model gave."""
        self.answer = None
        """Words to say in the place of the model's own, a prompt each."""
        self.no_speech = 0.0
        self.score = 0.0
        self.heard = None
        """The language to find, and its probability, in the place of the model's own."""
        self.detected = 0
        """How often it was looked for."""

    def __getattr__(self, name):
        return getattr(self._model, name)

    def encode(self, features):
        self.frames.append(features.shape[1])
        return self._model.encode(features)

    def _detect(self, memory):
        self.detected += 1
        return [[self.heard]] if self.heard else self._model.model.detect_language(memory)

    def _generate(self, memory, prompts, **options):
        self.prompts.append(prompts[0])
        self.all_prompts += prompts
        self.limits.append(options["max_length"])
        if self.answer is None:
            given = self._model.model.generate(memory, prompts, **options)
            self.tokens.append(len(given[0].sequences_ids[0]))
            return given
        said = [self._model.hf_tokenizer.encode(self.answer.pop(0), add_special_tokens=False).ids for _ in prompts]
        return [
            SimpleNamespace(sequences_ids=[ids], scores=[self.score], no_speech_prob=self.no_speech) for ids in said
        ]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        "english": make(SMALL, root / "english"),
        "multilingual": make(replace(SMALL, multilingual=True), root / "multilingual"),
        "large": make(replace(SMALL, mels=128), root / "large"),
        "endless": make(replace(SMALL, tokens=448), root / "endless"),
    }


@pytest.fixture(params=["english"])
def model(request, folders):
    return Watched(WhisperModel(str(folders[request.param]), device="cpu", local_files_only=True))


def decoder(model, margin_s=1.0, likely=None):
    return WhisperDecoder(model, margin_s=margin_s, likely=likely)


@pytest.mark.parametrize(
    ("seconds", "margin_s", "least_s", "frames"),
    [
        (1, 1.0, 0, 200),
        (1, 0.0, 0, 100),
        (5.5, 0.5, 0, 600),
        (1, 1.0, 10, 1000),
        (12, 1.0, 10, 1300),
        (1, 1.0, 30, 3000),
        (29.9, 1.0, 0, 3000),
        # CTranslate2 would take what it made of 159 or 160 frames for features, and encode that.
        (0.59, 1.0, 0, 161),
        (0.6, 1.0, 0, 161),
        (1.6, 0.0, 0, 161),
        (0.61, 1.0, 0, 161),
    ],
)
def test_the_encoder_is_given_the_audio_a_margin_and_no_more(model, seconds, margin_s, least_s, frames):
    decoded = decoder(model, margin_s).decode(hum(seconds), language=None, least_s=least_s)
    # Random words sometimes loop; then there is a second try, padded.
    assert model.frames[0] == frames
    assert decoded.padded == (model.frames[-1] == 3000)
    assert decoded.text
    assert decoded.compute_s > 0


@pytest.mark.parametrize("margin_ms", [0, 400])
def test_the_margin_is_the_one_that_the_settings_ask_for(folders, margin_ms):
    loaded = load_whisper(load(model_whisper=str(folders["english"]), asr_margin_ms=margin_ms))
    watched = Watched(loaded.decoder._model)
    loaded.decoder._model = watched
    loaded.decoder.decode(hum(2), language=None, least_s=0)
    assert watched.frames[0] == 200 + margin_ms // 10


@pytest.mark.parametrize(("model", "frames"), [("english", 159), ("english", 160), ("large", 255), ("large", 256)])
def test_the_trap_is_as_wide_as_the_bands(folders, model, frames):
    """The trap itself is still there: if this fails, CTranslate2 no longer has it, and the detour can go."""
    loaded = WhisperModel(str(folders[model]), device="cpu", local_files_only=True)
    same = {}
    for length in (frames - 2, frames, frames + 2):
        features = loaded.feature_extractor(hum(length / 100), padding=0)
        prompt = [loaded.hf_tokenizer.token_to_id(token) for token in ("<|startoftranscript|>", "<|notimestamps|>")]
        memory = loaded.encode(features)
        generated = loaded.model.generate(memory, [prompt], beam_size=1)[0].sequences_ids[0]
        straight = loaded.model.generate(np_view(features), [prompt], beam_size=1)[0].sequences_ids[0]
        same[length] = generated == straight
    assert same == {frames - 2: True, frames: False, frames + 2: True}


@pytest.mark.parametrize("model", ["large"], indirect=True)
@pytest.mark.parametrize(("seconds", "frames"), [(1.54, 254), (1.55, 257), (1.56, 257), (0.6, 160)])
def test_more_bands_have_their_trap_elsewhere(model, seconds, frames):
    decoder(model).decode(hum(seconds), language=None, least_s=0)
    assert model.frames[0] == frames


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 320])
def test_audio_of_next_to_nothing_is_no_failure(model, samples):
    decoded = decoder(model, 0.0).decode(np.full(samples, 0.1, np.float32), language=None, least_s=0, timed=True)
    assert model.frames[0] == 2
    assert decoded.language == "en"


def np_view(features):
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None]))


@pytest.mark.parametrize(("seconds", "limit"), [(0.5, 44), (3, 104), (28, 440)])
def test_tokens_are_bounded_by_the_length_of_the_audio(model, seconds, limit):
    decoder(model).decode(hum(seconds), language=None, least_s=0)
    assert model.limits == [limit]


@pytest.mark.parametrize("model", ["endless"], indirect=True)
@pytest.mark.parametrize(("seconds", "most"), [(1, 28), (3, 52), (5, 76), (28, 220)])
@pytest.mark.parametrize("context", ["", "ba " * 400])
def test_what_was_said_before_takes_no_tokens_away(model, seconds, most, context):
    decoder(model).decode(hum(seconds), language=None, least_s=0, context=context)
    assert model.tokens[0] == most


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (["bada " * 9, "turn on the light"], "turn on the light"),
        (["Turn it on. Turn it on.", "turn on the light"], "turn on the light"),
        (["bada " * 9, "bada " * 9, "turn on the light"], "turn on the light"),
        # Who is heard twice in 30 s said it twice; who loops there said nothing.
        (["Turn it on. Turn it on."] * 3, "Turn it on. Turn it on."),
        (["and so no no no no no no stop"] * 3, ""),
        (["1,5,5,5,5,5"] * 3, ""),
        (["Ahhhhhhh."] * 3, ""),
    ],
)
def test_what_trips_is_decoded_again_in_ten_seconds_and_then_padded(model, said, text):
    model.answer = list(said)
    decoded = decoder(model).decode(hum(3), language=None, least_s=0, timed=True)
    assert decoded.text == text
    assert decoded.tripped
    assert decoded.padded == (len(said) == 3)
    assert model.frames == [400, 1000, 3000][: len(said)]


def test_in_ten_seconds_and_more_the_next_try_is_padded(model):
    model.answer = ["bada " * 9, "well"]
    assert decoder(model).decode(hum(3), language=None, least_s=15).text == "well"
    assert model.frames == [1500, 3000]


def test_what_runs_into_the_limit_is_decoded_again(model):
    words = " ".join(f"w{at}" for at in range(60))
    model.answer = [words, "well"]
    assert decoder(model).decode(hum(1), language=None, least_s=0).text == "well"
    assert model.frames == [200, 1000]


@pytest.mark.parametrize(
    ("said", "text"),
    [("so bada bada bada bada bada bada", "so bada"), ("Turn it on, turn it on.", "Turn it on,"), ("AHHHHH", "AH")],
)
def test_a_partial_that_trips_is_never_decoded_again(model, said, text):
    model.answer = [said]
    (decoded,) = decoder(model).decode_batch([replace(asked(3), again=False)])
    assert (decoded.text, decoded.words, decoded.tripped) == (text, (), True)
    assert model.frames == [400]


@pytest.mark.parametrize(
    ("no_speech", "score", "kept"),
    [(0.1, -2.0, True), (0.7, -0.5, True), (0.7, -1.01, True), (0.7, -1.1, False), (0.95, -0.1, False)],
)
def test_words_in_what_is_no_speech_are_not_believed(model, no_speech, score, kept):
    model.answer, model.no_speech, model.score = ["Thank you for watching."], no_speech, score
    decoded = decoder(model).decode(hum(2), language=None, least_s=0, timed=True)
    assert bool(decoded.text) == bool(decoded.words) == kept
    assert model.frames == [300]


def test_what_was_said_before_goes_in_as_the_context(model):
    tokens = model.hf_tokenizer
    decoder(model).decode(hum(2), language=None, least_s=0, context=" the old house")
    prompt = model.prompts[0]
    begin = tokens.token_to_id("<|startoftranscript|>")
    assert prompt[0] == tokens.token_to_id("<|startofprev|>")
    assert tokens.decode(prompt[1 : prompt.index(begin)]).strip() == "the old house"
    decoder(model).decode(hum(2), language=None, least_s=0, context="ba " * 400)
    assert len(model.prompts[1]) <= 104


def test_words_have_places_that_rise_within_the_audio(model):
    decoded = decoder(model).decode(hum(4), language=None, least_s=0, timed=True)
    assert "".join(word.text for word in decoded.words).strip() == decoded.text
    places = [place for word in decoded.words for place in (word.begin, word.end)]
    assert places == sorted(places)
    assert places[-1] <= 5 * S


@pytest.mark.parametrize("answer", ["turn on the light", "Ja."])
def test_places_that_nobody_asked_for_are_guessed(model, answer):
    model.answer = [answer]
    decoded = decoder(model).decode(hum(3), language=None, least_s=0)
    assert "".join(word.text for word in decoded.words).strip() == decoded.text
    places = [place for word in decoded.words for place in (word.begin, word.end)]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == 3 * S


def test_no_word_ends_in_the_margin(model):
    model.answer = ["go on now."]
    # Next to no audio for so many words: the alignment uses what it is given, margin included.
    decoded = decoder(model).decode(hum(0.2), language=None, least_s=0, timed=True)
    assert decoded.words
    assert max(word.end for word in decoded.words) <= 0.2 * S


def test_words_without_places_are_words_still(folders, tmp_path):
    folder = shutil.copytree(folders["english"], tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    del config["alignment_heads"]
    (folder / "config.json").write_text(json.dumps(config))
    loaded = WhisperModel(str(folder), device="cpu", local_files_only=True)
    decoded = decoder(loaded).decode(hum(2), language=None, least_s=0, timed=True)
    assert decoded.text
    assert decoded.words == ()


def test_the_score_that_is_compared_is_the_mean_over_the_tokens_and_the_end(model):
    """What `_is_no_speech` undoes: if this fails, CTranslate2 divides by something else."""
    memory = model.encode(model.feature_extractor(hum(2), padding=0))
    prompt = [model.hf_tokenizer.token_to_id(token) for token in ("<|startoftranscript|>", "<|notimestamps|>")]
    mean, total = (
        model._model.model.generate(memory, [prompt], beam_size=1, return_scores=True, length_penalty=penalty)[0]
        for penalty in (1, 0)
    )
    assert mean.scores[0] == pytest.approx(total.scores[0] / len(mean.sequences_ids[0]))


def test_what_loops_after_a_context_is_tried_without_it_though_it_is_padded(model):
    model.answer = ["bada " * 9, "turn on the light"]
    decoded = decoder(model).decode(hum(3), language=None, least_s=30, context="bada bada")
    assert decoded.text == "turn on the light"
    sot_prev = model.hf_tokenizer.token_to_id("<|startofprev|>")
    assert [prompt[0] == sot_prev for prompt in model.prompts] == [True, False]


@pytest.mark.parametrize("model", ["multilingual"], indirect=True)
def test_a_loop_is_found_in_a_language_without_spaces(model):
    model.answer = ["好的人们" * 3, "好"]
    assert decoder(model).decode(hum(8), language="zh", least_s=0).text == "好"


@pytest.mark.parametrize("model", ["multilingual"], indirect=True)
def test_only_languages_that_the_model_has_a_mark_for_are_understood(model):
    ears = decoder(model)
    assert {"en", "de", "haw"} <= set(ears.languages)
    assert "yue" not in ears.languages


@pytest.mark.parametrize("model", ["multilingual"], indirect=True)
@pytest.mark.parametrize(("probability", "language"), [(0.81, "el"), (0.8, "el"), (0.79, "fr"), (0.3, "fr")])
def test_a_language_that_is_sure_is_taken_and_else_the_likely_one(model, probability, language):
    model.heard = ("<|el|>", probability)
    ears = decoder(model, likely="fr")
    found = ears.decode(hum(2), language=None, least_s=0)
    assert (found.language, found.language_probability) == (language, probability)
    assert model.hf_tokenizer.token_to_id(f"<|{language}|>") in model.prompts[0]


@pytest.mark.parametrize("model", ["multilingual"], indirect=True)
@pytest.mark.parametrize(
    ("asked", "own", "language"),
    [("de", "fr", "de"), (None, "fr", "fr"), ("de", None, "de"), ("xx", "fr", "fr"), ("xx", "yy", "en")],
)
def test_the_likely_language_is_the_first_that_the_model_knows(model, asked, own, language):
    """Who asks comes before the machine, and English is the last."""
    model.heard = ("<|el|>", 0.5)
    found = decoder(model, likely=own).decode(hum(2), language=None, least_s=0, likely=asked)
    assert (found.language, found.language_probability) == (language, 0.5)
    model.heard = ("<|el|>", 0.9)
    assert decoder(model, likely=own).decode(hum(2), language=None, least_s=0, likely=asked).language == "el"


@pytest.mark.parametrize("model", ["multilingual"], indirect=True)
def test_a_language_that_is_given_is_not_looked_for(model):
    taken = decoder(model).decode(hum(2), language="de", least_s=0)
    assert (taken.language, taken.language_probability) == ("de", 1.0)
    assert model.detected == 0
    assert model.hf_tokenizer.token_to_id("<|de|>") in model.prompts[0]


# --- several at once --------------------------------------------------------------------------------------------------


def asked(seconds, context="", *, language=None, timed=False):
    return Asked(hum(seconds), language, 0, context, lambda words: timed)


def test_several_at_once_have_the_words_that_each_has_alone(model):
    ears = decoder(model)
    # In a context of one length, or random weights would say something else.
    together = ears.decode_batch([asked(4, timed=True), asked(4 - 1e-3), asked(4)])
    alone = [ears.decode(hum(seconds), language=None, least_s=0, timed=seconds == 4) for seconds in (4, 4 - 1e-3)]
    assert [one.text for one in together] == [alone[0].text, alone[1].text, alone[0].text]
    assert together[0].words == alone[0].words
    assert together[2].words != together[0].words
    assert all(one.compute_s > 0 for one in together)


def test_each_of_several_is_heard_in_the_longest_context(model):
    ears = decoder(model)
    ears.decode_batch([asked(1), asked(3)])
    assert model.frames[:2] == [400, 400]


def test_the_least_context_is_everybodys_and_who_has_none_takes_none_away(model):
    ears = decoder(model)
    ears.decode_batch([asked(2, "the old house near the sea"), asked(2), asked(2, "near the sea")])
    tokens = model.hf_tokenizer
    begin = tokens.token_to_id("<|startoftranscript|>")
    without, *contexts = model.all_prompts
    assert without[0] == begin
    assert [tokens.decode(prompt[1 : prompt.index(begin)]).strip() for prompt in contexts] == ["near the sea"] * 2


def test_only_what_loops_is_decoded_once_more(model):
    model.answer = ["go on", "bada " * 9, "stop", "turn on the light"]
    decoded = decoder(model).decode_batch([asked(3), asked(3), asked(3)])
    assert [one.text for one in decoded] == ["go on", "turn on the light", "stop"]
    assert [one.tripped for one in decoded] == [False, True, False]
    assert model.frames == [400, 400, 400, 1000]


def test_each_of_several_has_its_own_limit(model):
    words = " ".join(f"w{at}" for at in range(20))
    model.answer = [words, words, "well"]
    decoded = decoder(model).decode_batch([asked(1), asked(12)])
    assert [one.text for one in decoded] == ["well", words]


@pytest.mark.parametrize("model", ["multilingual"], indirect=True)
def test_several_may_speak_several_languages(model):
    model.heard = ("<|el|>", 0.9)
    decoded = decoder(model).decode_batch([asked(2, language="de"), asked(2), asked(2, language="fr")])
    assert [one.language for one in decoded] == ["de", "el", "fr"]
    for prompt, one in zip(model.all_prompts, decoded, strict=False):
        assert model.hf_tokenizer.token_to_id(f"<|{one.language}|>") in prompt


def test_pcm_becomes_floats_of_one():
    assert floats(b"\x00\x80\x00\x40").tolist() == [-1.0, 0.5]


@pytest.mark.parametrize("seconds", [0.5, 30, 30.01, 47, 95])
def test_pieces_are_all_of_the_audio_and_none_is_too_long(seconds):
    audio = np.random.default_rng(1).standard_normal(round(seconds * S)).astype(np.float32)
    cut = list(pieces(audio, Cut(30)))
    assert np.array_equal(np.concatenate(cut), audio)
    assert max(map(len, cut)) <= 30 * S


def test_a_piece_ends_where_it_is_quiet():
    audio = np.ones(40 * S, np.float32)
    audio[int(24.2 * S) : int(24.7 * S)] = 0
    first, second = pieces(audio, Cut(30))
    assert 24.2 * S < len(first) < 24.7 * S
    assert len(first) + len(second) == len(audio)
