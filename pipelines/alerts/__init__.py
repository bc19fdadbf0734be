"""Tells people what fails: one message a cause, one when it is over, one digest a day."""
