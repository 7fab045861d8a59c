"""Validates every file in configs/ against schema.json, and checks that the schema rejects invalid values.

    /usr/bin/python3 tests/config/test_schema.py        (needs python3-jsonschema)
"""

import json
import unittest
from pathlib import Path

import jsonschema

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


class SchemaTest(unittest.TestCase):
    def setUp(self):
        schema = json.loads((CONFIGS / "schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        self.validator = jsonschema.Draft7Validator(schema)

    def test_accepts_every_config(self):
        files = sorted(path for path in CONFIGS.glob("*.json") if path.name != "schema.json")
        self.assertTrue(files)
        for path in files:
            with self.subTest(file=path.name):
                config = json.loads(path.read_text(encoding="utf-8"))
                self.assertEqual(config["$schema"], "schema.json")
                self.validator.validate(config)

    def test_refuses_bad_values(self):
        cases = [
            {"stesp": 5},
            {"train": {"stesp": 5}},
            {"train": {"steps": 0}},
            {"train": {"batch_size": "128"}},
            {"train": {"seed": -1}},
            {"train": {"device": "gpu"}},
            {"train": {"device": "cuda:"}},
            {"train": {"device": "xcuda:1"}},
            {"model": {"depth": 7}},
            {"data": {"dir": ""}},
            {"data": {"augment": {"pad": 17}}},
            {"optimizer": {"momentum": 1}},
            {"schedule": {"boundaries": [0.5]}},
            {"schedule": {"values": [-0.1]}},
            {"schedule": {"kind": "cosine"}},
            {"model": {"family": "vgg"}},
            {"model": {"widening": 2}},
            {"model": {"family": "wide_resnet", "block": "preact"}},
            {"model": {"family": "wide_resnet", "depth": 9}},
            {"model": {"batch_norm": {"epsilon": 0}}},
            {"model": {"batch_norm": {"decay": 1}}},
            {"run": {"keep": 0}},
            {"run": {"keep": "none"}},
        ]
        for config in cases:
            with self.subTest(config=config):
                self.assertFalse(self.validator.is_valid(config))

    def test_accepts_good_values(self):
        cases = [
            {"model": {"depth": 8, "batch_norm": {"epsilon": 1e-5}}},
            {"model": {"family": "resnet", "block": "postact"}},
            {"model": {"family": "wide_resnet", "depth": 28, "widening": 10, "batch_norm": {"decay": 0}}},
            {"train": {"device": "cuda"}},
            {"train": {"device": "cuda:12"}},
            {"schedule": {"kind": "piecewise"}},
            {"run": {"keep": 1}},
            {"run": {"keep": "all"}},
        ]
        for config in cases:
            with self.subTest(config=config):
                self.validator.validate(config)

    def test_defaults_are_valid(self):
        def defaults(schema, alternative):
            if "oneOf" in schema:
                return defaults(schema["oneOf"][alternative], alternative)
            if "properties" not in schema:
                return schema["default"]
            parts = {key: part for key, part in schema["properties"].items() if key != "$schema"}
            return {key: defaults(part, alternative) for key, part in parts.items() if "deprecated" not in part}

        for alternative in range(len(self.validator.schema["properties"]["model"]["oneOf"])):
            with self.subTest(alternative=alternative):
                self.validator.validate(defaults(self.validator.schema, alternative))


if __name__ == "__main__":
    unittest.main()
