"""HTTP: parse, call one handler, shape the reply."""
