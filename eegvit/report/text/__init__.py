"""The report as text: Markdown, CSV, a terminal, and how to read it."""
