"""`mesoformula catalogue`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mesoformula.cli.common import app_of, example, json_option, print_json, safe
from mesoformula.cli.groups import NounGroup
from mesoformula.encoding import to_plain
