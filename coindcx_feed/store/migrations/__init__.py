"""Steps from one schema of the log to the next, run by Alembic when a log is opened."""
