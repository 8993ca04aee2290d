"""The attack loop: stored cases in, records and a report out."""
