// Why a program is not run: what the configuration asks for, or what this host cannot do now, in words that say what to mend.

import Bus
import CLinux
import Glibc
import Platform

/// A program that is not run.
struct ScriptRefusal: Error {
    /// Which kind; nil: this host's trouble, which says nothing about the program.
    let reason: ScriptAPI.Reason?
    let message: String

    init(_ reason: ScriptAPI.Reason?, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// What `ek_program_start`'s child said: the stage, errno, and the path it is about.
    init(stage: Int32, code: Int32, path: String, program: String) {
        let words = String(cString: strerror(code))
        let name = program.contains("/") ? path : program
        switch (stage, code) {
        case (Int32(EK_PROGRAM_NETWORK), _):
            self.init(nil, "its network namespace \(path) cannot be entered: \(words); see \"ip netns\"")
        case (Int32(EK_PROGRAM_INSECURE), _):
            self.init(
                .insecure,
                "it would run as root, and others can replace \(path); chown root and chmod go-w it, or name another user"
            )
        case (_, EAGAIN), (_, ENOMEM), (_, EMFILE), (_, ENFILE), (_, ESRCH), (_, ETXTBSY), (_, EINTR):
            self.init(nil, "\(Errno(code, "execve"))")
        case (Int32(EK_PROGRAM_IDENTITY), _): self.init(.impossible, "it cannot become its user: \(words)")
        case (_, ENOENT), (_, ENOTDIR):
            self.init(.notFound, "\(name): there is no such file, or not its interpreter")
        case (_, EACCES): self.init(.notExecutable, "\(name): its user may not execute it")
        case (_, ENOEXEC): self.init(.notExecutable, "\(name): neither a program nor a script that begins with #!")
        default: self.init(.impossible, "\(name): \(words)")
        }
    }
}

extension Responder {
    /// The refusal as the answer.
    func fail(_ refusal: ScriptRefusal) {
        if let reason = refusal.reason {
            fail(ScriptAPI.Refused(reason: reason, message: refusal.message))
        } else {
            fail(ScriptAPI.Unable(message: refusal.message))
        }
    }
}

/// What is wrong with which script, said once and again when it is something else: a script runs every second.
struct TroubleLog {
    private static let limit = 1000
    private var said: [String: String] = [:]

    /// True when `trouble` is to be said; nil: the script ran, and any trouble will be news.
    mutating func isNews(_ trouble: String?, of script: String) -> Bool {
        guard said[script] != trouble else { return false }
        if said.count >= Self.limit { said.removeAll() }
        said[script] = trouble
        return trouble != nil
    }
}
