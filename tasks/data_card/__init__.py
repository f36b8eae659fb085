"""The data card, report.html: what is gathered, drawn and shown."""
