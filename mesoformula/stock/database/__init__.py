"""What a stock is kept in: tables, guards, SQLite and PostgreSQL, upgrades and backups."""
