"""A filter of system calls, in force for this process and all that it starts; it cannot be taken off again.

See seccomp(2). No privileges are needed. Filters are little programs (classic BPF) that look at the number
and the arguments of a call.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable

_NUMBERS = {
    # name: (x86_64, aarch64); None where the architecture has no such call
    "accept": (43, 202),
    "acct": (163, 89),
    "accept4": (288, 242),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bind": (49, 200),
    "bpf": (321, 280),
    "chmod": (90, None),
    "chown": (92, None),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "connect": (42, 203),
    "delete_module": (176, 106),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fanotify_init": (300, 262),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "file_setattr": (469, 469),
    "finit_module": (313, 273),
    "fork": (57, None),
    "fremovexattr": (199, 16),
    "fsetxattr": (190, 7),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, None),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "lchown": (94, None),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "removexattr": (197, 14),
    "removexattrat": (466, 466),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpgid": (109, 154),
    "setpriority": (141, 140),
    "setrlimit": (160, 164),
    "setsid": (112, 157),
    "settimeofday": (164, 170),
    "setxattr": (188, 5),
    "setxattrat": (463, 463),
    "shmget": (29, 194),
    "socket": (41, 198),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "truncate": (76, 45),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    "vfork": (58, None),
    "vhangup": (153, 58),
}

ALWAYS = (  # noqa: SIM905 - one name a line would hide what belongs together
    # what reaches other processes, or out of the group by which this one is ended
    "kcmp pidfd_getfd pidfd_open pidfd_send_signal process_madvise process_vm_readv process_vm_writev ptrace "
    "rt_sigqueueinfo rt_tgsigqueueinfo setpgid setsid tkill "
    # what the limits do not count
    "ioprio_set memfd_create memfd_secret mq_open msgget sched_setattr sched_setparam "
    "sched_setscheduler semget setpriority setrlimit shmget "
    # changes to files that Landlock does not know
    "chmod chown fchmod fchmodat fchmodat2 fchown fchownat file_setattr fremovexattr fsetxattr futimesat "
    "lchown lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat truncate utime utimensat "
    "utimes "
    # the machine itself, and the parts of the kernel that go wrong most often
    "acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init finit_module "
    "fsopen fspick init_module io_uring_setup ioperm iopl kexec_file_load kexec_load keyctl mount "
    "mount_setattr move_mount open_by_handle_at open_tree perf_event_open personality pivot_root quotactl "
    "reboot request_key setdomainname sethostname setns settimeofday swapoff swapon syslog umount2 unshare "
    "userfaultfd vhangup"
).split()
NETWORK = ("accept", "accept4", "bind", "connect", "socket")
PROCESSES = ("execve", "execveat", "fork", "vfork")

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000

# Instructions: load a word of the call, compare it, answer.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

Instruction = tuple[int, int, int, int]


def refuse_calls(*, network: bool, processes: bool) -> bool:
    """Refuse system calls from here on; whether the system can.

    Args:
        network: leave sockets alone.
        processes: leave starting other programs alone.
    """
    known = _ARCHITECTURES.get(platform.machine())
    if not hasattr(os, "fork") or platform.system() != "Linux" or known is None or struct.calcsize("P") != 8:
        return False
    column, architecture = known
    names = [*ALWAYS, *(() if network else NETWORK), *(() if processes else PROCESSES)]
    program = _program(names, column, architecture, threads_only=not processes)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HL", len(program), ctypes.addressof(buffer))
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.create_string_buffer(header), 0, 0) == 0)


def _program(
    names: Iterable[str], column: int, architecture: int, *, threads_only: bool
) -> list[Instruction]:
    refuse = _REFUSE | errno.EPERM
    body: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, architecture),
        (_ANSWER, 0, 0, _KILL),  # calls of another architecture have other numbers
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if column == 0:
        body += [(_AT_LEAST, 0, 1, _X32), (_ANSWER, 0, 0, refuse)]
    for name in names:
        if (number := _NUMBERS[name][column]) is not None:
            body += [(_EQUAL, 0, 1, number), (_ANSWER, 0, 0, refuse)]
    for name in ("kill", "tgkill"):  # itself only
        body += _only_if(_NUMBERS[name][column], [(0, _EQUAL, os.getpid())], refuse)
    # Limits may be read, not set: the third argument is a null pointer then.
    body += _only_if(_NUMBERS["prlimit64"][column], [(2, _EQUAL, 0), (2.5, _EQUAL, 0)], refuse)
    if threads_only:
        # clone3 hides its flags from filters; libraries fall back to clone where it does not exist.
        body += _only_if(_NUMBERS["clone3"][column], [], _REFUSE | errno.ENOSYS)
        body += _only_if(_NUMBERS["clone"][column], [(0, _ANY_BIT, _CLONE_THREAD)], refuse)
    return [*body, (_ANSWER, 0, 0, _ALLOW)]


def _only_if(number: int | None, tests: list[tuple[float, int, int]], refusal: int) -> list[Instruction]:
    """Refuse one call unless its arguments pass all the tests.

    Args:
        number: of the call.
        tests: which argument (and a half: its upper 32 bits), how to compare it, with what. No test: refuse.
        refusal: the answer where it does not pass.
    """
    if number is None:
        return []
    inner: list[Instruction] = []
    for argument, comparison, value in tests:
        inner += [
            (_LOAD, 0, 0, _ARGUMENTS_AT + int(argument * 8)),
            (comparison, 1, 0, value),
            (_ANSWER, 0, 0, refusal),
        ]
    inner.append((_ANSWER, 0, 0, _ALLOW if tests else refusal))
    return [(_EQUAL, 0, len(inner), number), *inner]
