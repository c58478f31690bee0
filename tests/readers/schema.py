#!/usr/bin/env python3
"""schema.py SCHEMA FILE...: what an editor that knows JSON schema says of TOML files, as JSON: per file a list of messages."""
import datetime
import json
import sys
import tomllib

import jsonschema


def plain(value):
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else value


with open(sys.argv[1]) as file:
    schema = json.load(file)
validator = jsonschema.validators.validator_for(schema)
validator.check_schema(schema)
said = {}
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        errors = validator(schema).iter_errors(plain(tomllib.load(file)))
        said[path] = sorted(f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors)
print(json.dumps(said))
