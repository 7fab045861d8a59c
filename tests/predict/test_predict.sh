#!/usr/bin/env bash
# resnet-predict: the same logits as resnet-eval, kinds of image files, bad files, output.
#     test_predict.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$scratch"
"$bin/draw-images" data >/dev/null
cat >tiny.json <<'JSON'
{
  "model": {"depth": 8},
  "data": {"dir": "data"},
  "train": {"steps": 20, "batch_size": 32, "device": "cpu"},
  "schedule": {"boundaries": [], "values": [0.02]},
  "run": {"dir": "run"}
}
JSON
"$bin/resnet-train" tiny.json >/dev/null
/usr/bin/python3 "$repository/tests/predict/images.py" data images
predict() { run "$bin/resnet-predict" run "$@" --device cpu; }

# ---- against resnet-eval
"$bin/resnet-eval" run --data data --device cpu --logits logits.safetensors >/dev/null
predict images/exact --top 10 --json
expect "a folder of images: exit 0" exits_with 0
cp output predictions.json
cat >compare.py <<'PYTHON'
"""Softmax of the logits of resnet-eval against the probabilities of resnet-predict."""
import json, math
import safetensors.numpy
logits = safetensors.numpy.load_file('logits.safetensors')['logits'].astype('float64')
result = json.load(open('predictions.json'))
names = 'airplane automobile bird cat deer dog frog horse ship truck'.split()
assert result['checkpoint'].startswith('run/'), result['checkpoint']
assert [image['file'] for image in result['images']] == [f'images/exact/{i}.png' for i in range(5)]
for i, image in enumerate(result['images']):
    exponentials = [math.exp(logit) for logit in logits[i]]
    probabilities = [each['probability'] for each in image['classes']]
    assert probabilities == sorted(probabilities, reverse=True)
    assert abs(sum(probabilities) - 1) < 1e-9
    assert sorted(each['label'] for each in image['classes']) == list(range(10))
    for each in image['classes']:
        assert abs(each['probability'] - exponentials[each['label']] / sum(exponentials)) < 1e-6, (i, each)
        assert each['class'] == names[each['label']]
PYTHON
run "$repository/build/python/bin/python" compare.py
expect "the probabilities are those of resnet-eval" exits_with 0

# ---- kinds of files
# classes FILE...: the predictions without the names of the files.
classes() { predict "$@" && sed 's/^[^:]*: //' output; }
expected=$(classes images/exact/0.png)
for file in images/same/*; do
    expect "$file: as the image itself" test "$(classes "$file")" = "$expected"
done
most_probable() { classes "$@" --top 1 | sed 's/ [0-9.]* %//'; }
for file in images/near/*; do
    expect "$file: the same class" test "$(most_probable "$file")" = "$(most_probable images/exact/0.png)"
done
for file in grey deep_grey over_white; do
    expect "$file.png: as in colour" test "$(classes images/$file.png)" = "$(classes images/colour.png)"
done
expect "transparent parts are white" test "$(classes images/transparent.png)" = "$(classes images/white.png)"
run bash -c "cat images/exact/0.png | '$bin/resnet-predict' run - --device cpu"
expect "standard input" last_line_is "-: $expected"
predict images/exact/0.png
expect "five classes by default" test "$(grep -o % output | wc -l)" = 5

# ---- bad files
predict images/exact/0.png images/broken images/exact/0.png
expect "bad files: exit 2" exits_with 2
expect "the good images are predicted" test "$(grep -c '^images/exact/0.png: ' output)" = 2
for each in "truncated.png: damaged PNG file: " "flipped_bit.png: damaged PNG file: " \
    "truncated.jpg: damaged JPEG file: " "bomb.png: the image has 100000 x 100000 pixels" \
    "text.png: neither a PNG nor a JPEG file" "empty.jpg: the file is empty"; do
    expect "$each" says "resnet-predict: images/broken/$each"
done
predict missing.png
expect "no such file" says "resnet-predict: missing.png: cannot be read: No such file or directory"
expect "no such file: exit 2" exits_with 2
ln -s loop.png images/near/loop.png
predict images/near
expect "an entry of a folder that cannot be read: exit 2" exits_with 2
expect "the others are predicted" test "$(grep -c '^images/near/.*: .* %' output)" = 5
mkdir nothing
predict nothing
expect "a folder without images: exit 2" exits_with 2
expect "a folder without images" says "nothing: no .png, .jpg or .jpeg file is in this folder"
run "$bin/resnet-predict" data images/exact/0.png
expect "not a run folder: exit 2" exits_with 2
expect "not a run folder" says "data: this folder holds no checkpoint"
run "$bin/resnet-predict" run
expect "no images: exit 2" exits_with 2
run "$bin/resnet-predict" run images/exact/0.png --top 0
expect "--top 0: exit 2" exits_with 2

report
