"""A stand-in for the Python interpreter: it hands its arguments and streams to the fork server and waits.

The fork server writes this text to an executable file with the socket's path filled in. It imports only built-in
modules, so that it starts quickly.
"""

import _socket
import os
import sys

SOCKET = "@SOCKET@"


def main() -> None:
    """Ask the fork server for a process with our arguments and streams, and end with its exit code."""
    argv = [word for word in sys.argv[1:] if word != "-S"]
    detached = len(argv) > 1
    handles = [0, 1, 2]
    if detached and argv[-1].isdecimal():  # the descriptor that holds the worker's lock
        handles.append(int(argv[-1]))
    fork_server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    fork_server.connect(SOCKET)
    rights = b"".join(handle.to_bytes(4, sys.byteorder) for handle in handles)
    fork_server.sendmsg(["\0".join([os.getcwd(), *argv]).encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    for handle in handles:
        os.close(handle)  # or their readers would wait for this process too
    answer = fork_server.recv(4)
    status = int.from_bytes(answer, sys.byteorder, signed=True) if answer else 1
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


if __name__ == "__main__":
    main()
