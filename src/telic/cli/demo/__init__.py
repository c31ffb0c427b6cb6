"""`telic demo`: a program is measured, compiled and measured again, on a small model in this process."""
