"""Baleen on HotPotQA and HoVer, beside single searches."""
