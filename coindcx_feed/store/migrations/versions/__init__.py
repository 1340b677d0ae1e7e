"""One file per schema; its number is the version that the log then has."""
