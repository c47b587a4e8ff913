"""
Texts in the language of whoever reads them.

A package keeps its translations beside its code, in `languages/<language>.po`: one file per language, in the
format that translators know (GNU gettext), with the English text as the key. English needs no file.
"""

from __future__ import annotations

import gettext
from functools import cache
from importlib.resources import files
from io import BytesIO

import attrs

from mesoformula.errors import UnknownNameError
from mesoformula.words import nearest

ENGLISH = "en"
_FOLDER = "languages"


@attrs.frozen(eq=False)
class Words:
    """
    Says texts in one language.

    Attributes:
        language: Such as `fr`.
    """

    language: str
    _translations: gettext.NullTranslations

    def __call__(self, text: str, **values: object) -> str:
        """
        Say a text.

        Args:
            text: In English, with `{names}` for what is put in; a literal, so that tools can collect it.
            values: By these names.

        Returns:
            The translation; the English text where there is none.
        """
        said = self._translations.gettext(text)
        return said.format(**values) if values else said

    def plural(self, one: str, many: str, count: int, **values: object) -> str:
        """
        Say a text about a number of things.

        Args:
            one: For one thing.
            many: For any other number.
            count: How many; also put in for `{count}`.
            values: What else is put in.

        Returns:
            The form that the language has for that number.
        """
        return self._translations.ngettext(one, many, count).format(count=count, **values)


def later(text: str) -> str:
    """
    Mark a text that is said later, so that tools can collect it.

    Args:
        text: In English.

    Returns:
        The text itself.
    """
    return text


def languages(package: str) -> tuple[str, ...]:
    """
    List the languages that a package speaks.

    Args:
        package: Its import name.

    Returns:
        Their codes, English first.
    """
    folder = files(package) / _FOLDER
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return (ENGLISH, *sorted(name.removesuffix(".po") for name in names if name.endswith(".po")))


def spoken(package: str, language: str) -> str | None:
    """
    Find the language of a package that serves for another.

    Args:
        package: Its import name.
        language: Such as `fr-CA`.

    Returns:
        The language itself, or `fr` where the package has no file for Canada; None if it speaks neither.
    """
    known = languages(package)
    return next((one for one in (language, language.partition("-")[0]) if one in known), None)


@cache
def words(package: str, language: str) -> Words:
    """
    Find the texts of a package in a language.

    Args:
        package: Its import name.
        language: Such as `fr`, or `fr-CA`, for which `fr` is taken where it has no file of its own.

    Returns:
        What says them.

    Raises:
        UnknownNameError: If the package does not speak the language; with those that it speaks.
    """
    found = spoken(package, language)
    if found is None:
        known = languages(package)
        raise UnknownNameError("language", language, nearest(language, known) or known)
    if found == ENGLISH:
        return Words(ENGLISH, gettext.NullTranslations())
    return Words(found, _read(package, found))


def _read(package: str, language: str) -> gettext.GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    content = (files(package) / _FOLDER / f"{language}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(content), locale=language, abort_invalid=True))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
