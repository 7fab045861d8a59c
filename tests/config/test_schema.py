"""Checks every file in configs/ against schema.json, and that the schema refuses what the program refuses.

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
            {"model": {"depth": 7}},
            {"data": {"dir": ""}},
            {"data": {"augment": {"pad": 17}}},
            {"optimizer": {"momentum": 1}},
            {"schedule": {"boundaries": [0.5]}},
            {"schedule": {"values": [-0.1]}},
        ]
        for config in cases:
            with self.subTest(config=config):
                self.assertFalse(self.validator.is_valid(config))

    def test_defaults_are_valid(self):
        def defaults(schema):
            if "properties" not in schema:
                return schema["default"]
            return {key: defaults(part) for key, part in schema["properties"].items() if key != "$schema"}

        self.validator.validate(defaults(self.validator.schema))


if __name__ == "__main__":
    unittest.main()
