"""The command line: one file a command; `main` is the edge where errors become messages and exit statuses, `streams` whatever they are written to."""
