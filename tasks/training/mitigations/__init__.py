"""Mitigations of forgetting, one file each; every module is imported and registers itself."""
