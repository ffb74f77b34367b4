#!/usr/bin/env bash
# Makes the recorded speech that the tests, the benchmarks and the examples use, with flite's natural voices.
# Run once, with Debian's packages flite and sox; the results are committed. Words: tests/clips/clips.json.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
python3 - <<'PY' | while IFS=$'\t' read -r name voice words; do
import json
for name, clip in json.load(open("tests/clips/clips.json")).items():
    print(name, clip["voice"], clip["words"], sep="\t")
PY
    flite -voice "$voice" -t "$words" -o "$work/clip.wav"
    sox -D "$work/clip.wav" -r 16000 -c 1 -b 16 "tests/clips/$name.wav"
done
cp tests/clips/question.wav examples/question.wav
