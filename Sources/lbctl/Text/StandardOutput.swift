// Standard output, written in whole texts so that a line is on its way when it is complete. A reader that has gone
// (`lbctl events | head`) ends the program as it ends any other: quietly, by SIGPIPE.
import Glibc
import JSON
import Platform

/// Where the answer goes. Everything else goes to standard error.
enum StandardOutput {
    /// Writes all of `text` at once.
    static func write(_ text: String) {
        write(Array(text.utf8))
    }

    /// Writes one line.
    static func line(_ text: String) {
        write(text + "\n")
    }

    /// Writes one JSON object as one line.
    static func json(_ value: JSONValue) throws(Failure) {
        do throws(JSONError) {
            write(try value.serialised() + [UInt8(ascii: "\n")])
        } catch {
            throw .protocolViolation("the answer cannot be written as JSON: \(error)")
        }
    }

    private static func write(_ octets: [UInt8]) {
        octets.withUnsafeBytes { octets in
            var rest = octets
            while !rest.isEmpty {
                let written = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
                if written > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                } else if errno == EPIPE {
                    endBySIGPIPE()
                } else if errno != EINTR {
                    StandardError.say("standard output: \(String(cString: strerror(errno)))")
                    exit(ExitStatus.failed.rawValue)
                }
            }
        }
    }

    /// SIGPIPE is ignored so that a socket that closes is an error with a message; for standard output it is not.
    static func endBySIGPIPE() -> Never {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        exit(ExitStatus.failed.rawValue)
    }
}
