"""Traces: spans of our own making, and OpenTelemetry behind them where it is on."""
