"""What crun's tests of mount options want of libmount, which Debian has no Python module of: a table read
from a copy of mountinfo, of which one entry is asked for."""


class Entry:
    def __init__(self, line):
        mount, _, filesystem = line.partition(" - ")
        self.target, self.vfs_options = mount.split()[4:6]
        self.fs_options = filesystem.split()[2]


class Table:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.entries = [Entry(line) for line in file if " - " in line]

    def find_target(self, target):
        return next((entry for entry in self.entries[::-1] if entry.target == target), None)
