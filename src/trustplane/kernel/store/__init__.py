"""The database: engine, unit of work, base table, migrations. Only the kernel touches this room; stages stand on ``kernel.tables``."""
