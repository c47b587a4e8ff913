"""What every database that may hold a stock can do, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Connection, exc

from mesoformula.errors import LedgerError, StockError
from mesoformula.stock.database import schema
from mesoformula.stock.database.guards import APPEND_ONLY

#: Seconds that a write waits for another program's.
PATIENCE = 30.0

#: Seconds that an upgrade waits for another program, which may be upgrading the same stock.
UPGRADE_PATIENCE = 600.0


class Place(ABC):
    """
    A database that holds a stock, may hold one, or turns out to hold something else.

    Attributes:
        dialect: `sqlite` or `postgresql`.
        driver: The package that its errors come from.
    """

    dialect: ClassVar[str]
    driver: ClassVar[str]
    #: What to say for each error of the database, by the start of its name.
    reasons: ClassVar[Mapping[str, tuple[type[StockError], str]]]

    @abstractmethod
    def __str__(self) -> str:
        """Write where it is, without secrets."""

    @abstractmethod
    def version(self) -> int | None:
        """
        Find out what is there.

        Returns:
            The version of the stock's schema; None if there is nothing yet.

        Raises:
            LedgerError: If something else is there, or a stock from the future.
        """

    @abstractmethod
    def version_seen(self, connection: Connection) -> int | None:
        """
        Find out the same in a transaction.

        Args:
            connection: Of this place.

        Returns:
            As `version`.
        """

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one moment's state."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """Open a transaction that may append, committed at the end."""

    @abstractmethod
    def alone(self) -> AbstractContextManager[Connection]:
        """Open a transaction that may make or rewrite tables, committed at the end; others wait."""

    @abstractmethod
    def make(self) -> None:
        """Make an empty stock, unless another program just did."""

    @abstractmethod
    def moment(self, connection: Connection | None) -> datetime:
        """Tell the time by the database's clock, in UTC."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""

    @abstractmethod
    def error_name(self, err: BaseException | None) -> str:
        """Name an error of the database by the database's own code for it."""

    def error_text(self, err: BaseException | None) -> str:
        """Write what the database says of an error, on one line and without secrets."""
        return "".join(char if char.isprintable() else " " for char in str(err)[:300])

    @contextmanager
    def plain_errors(self) -> Iterator[None]:
        """
        Say in plain words what the database or the disk refuses.

        Raises:
            StockError: Instead of whatever the database raised.
        """
        try:
            yield
        except exc.DBAPIError as err:
            if not type(err.orig).__module__.startswith(self.driver):
                raise  # of the other database of a copy
            raise self.said(err.orig) from err
        except exc.TimeoutError as err:
            raise StockError(f"{self}: too many of this program's own connections are in use") from err
        except (FileExistsError, NotADirectoryError) as err:
            raise StockError(f"{self}: a folder on the way to it is a file") from err
        except OSError as err:
            raise StockError(f"{self}: {err.strerror or type(err).__name__}") from err

    def said(self, err: BaseException | None) -> StockError:
        """
        Say in plain words what an error of the database means.

        Args:
            err: As the driver raised it.

        Returns:
            What to raise instead.
        """
        name, text = self.error_name(err), self.error_text(err)
        if text.startswith(APPEND_ONLY):
            return LedgerError(f"{self}: {text}; run verify")
        for start, (kind, reason) in self.reasons.items():
            if name.startswith(start):
                return kind(f"{self}: {reason}")
        return StockError(f"{self}: {text}")

    def known(self, version: int) -> int:
        """
        Refuse a version that this mesoformula cannot have.

        Args:
            version: What the database says.

        Returns:
            The same.

        Raises:
            LedgerError: If it is from the future, or none.
        """
        if version > schema.SCHEMA_VERSION:
            raise LedgerError(
                f"{self}: written by a newer mesoformula (schema {version}, this one knows up to "
                f"{schema.SCHEMA_VERSION}); upgrade mesoformula to use it"
            )
        if version < 1:
            raise LedgerError(f"{self}: no stock of mesoformula that can be read (schema {version})")
        return version

    def current(self, version: int | None) -> None:
        """
        Make sure that nobody changed the schema since this program looked.

        Args:
            version: What the database says now.

        Raises:
            LedgerError: If it is another than this program works with.
        """
        if version is None or self.known(version) != schema.SCHEMA_VERSION:
            raise LedgerError(f"{self}: was replaced by another program; try again")

    def foreign(self) -> LedgerError:
        """Say that the database belongs to somebody else."""
        return LedgerError(f"{self}: a database of another program, no stock of mesoformula")
