"""The bundle's command line: `python3 -m tools VERB`, one file a verb, the standard library only."""
