"""The run report: one self-contained HTML file that an owner can read, print and sign."""
