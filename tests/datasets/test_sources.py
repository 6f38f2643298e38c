"""The table of data sources: every row leads to a reader, and listing them imports none."""

import subprocess
import sys

import pytest

from mitools.core.errors import InputError
from mitools.core.specs import parse_spec
from mitools.datasets.open import open_data
from mitools.datasets.sources import DATA_SOURCES


@pytest.mark.parametrize("name", DATA_SOURCES)
def test_every_row_leads_to_a_reader(name):
    source = DATA_SOURCES[name]
    assert callable(source.opener)
    spec = parse_spec(source.example, DATA_SOURCES)
    assert spec.source == name
    spec.only(*source.options)


@pytest.mark.parametrize("name", DATA_SOURCES)
def test_an_option_of_no_source_is_refused(name):
    source = DATA_SOURCES[name]
    joint = "&" if "?" in source.example else "?"
    with pytest.raises(InputError, match="unknown option 'colour'"):
        open_data(f"{source.example}{joint}colour=red")


def test_listing_imports_no_reader():
    heavy = "{'torch', 'pandas', 'scipy', 'sklearn', 'matplotlib'}"
    code = f"import sys; from mitools.datasets.sources import DATA_SOURCES; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
