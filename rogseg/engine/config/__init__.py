"""Configs: bases, overrides, the task that a config is for, and what is wrong with one."""
