// What a process costs the machine: that it does not grow is part of several tests.

import Glibc
import Platform

/// What a process has, at a time.
struct Usage {
    let descriptors: Int
    /// Of itself.
    let threads: Int
    /// Programs that it started and that are not gone, with those that nobody waited for.
    let children: Int
    let kilobytes: Int

    init(of pid: pid_t) {
        descriptors = Self.entries(of: "/proc/\(pid)/fd")
        let status = Self.text("/proc/\(pid)/status").split(separator: "\n")
        func value(_ key: String) -> Int {
            let line = status.first { $0.hasPrefix(key) } ?? ""
            return Int(line.filter(\.isNumber)) ?? 0
        }
        threads = value("Threads:")
        kilobytes = value("VmRSS:")
        children = Self.text("/proc/\(pid)/task/\(pid)/children").split(separator: " ").count
    }

    private static func entries(of path: String) -> Int {
        guard let directory = opendir(path) else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    private static func text(_ path: String) -> String {
        String(decoding: ((try? FileSystem.contents(of: path, limit: 1 << 20)) ?? nil) ?? [], as: UTF8.self)
    }
}
