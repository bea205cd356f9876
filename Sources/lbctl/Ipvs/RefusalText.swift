// What ipvsadm says when the kernel refuses something: an errno means different things to different commands.
import Glibc
import IPVS

enum RefusalText {
    /// About a request.
    static func text(_ code: Int32, to request: TableRequest) -> String {
        switch (request, code) {
        case (.addService, EEXIST): "Service already exists"
        case (.addService, ENOENT), (.editService, ENOENT): "Scheduler or persistence engine not found"
        case (.editService, ESRCH), (.command(.change(.deleteService)), ESRCH), (.command(.zero), ESRCH): noSuchService
        case (.command(.change(.addDestination)), EEXIST): "Destination already exists"
        case (.command(.change(.editDestination)), ENOENT), (.command(.change(.deleteDestination)), ENOENT):
            "No such destination"
        case (.command(.change), ESRCH): "Service not defined"
        case (.command(.synchronise(.start)), EEXIST): "Daemon has already run"
        case (.command(.synchronise(.stop)), ESRCH): "No daemon is running"
        case (_, _): text(code)
        }
    }

    static let noSuchService = "No such service"

    /// About anything.
    static func text(_ code: Int32) -> String {
        switch code {
        case EPERM: "Permission denied (you must be root)"
        case EINVAL: "Invalid operation.  Possibly wrong module version, address not unicast, ..."
        case ENOPROTOOPT: "Protocol not available"
        case ENOMEM: "Memory allocation problem"
        case EOPNOTSUPP: "Operation not supported with IPv6"
        case EAFNOSUPPORT: "Operation not supported with specified address family"
        case EMSGSIZE: "Module is wrong version"
        case _: String(cString: strerror(code))
        }
    }

    /// When there is no IPVS to talk to.
    static func unavailable(_ code: Int32) -> String {
        "Can't initialize ipvs: \(text(code))\n"
            + "Are you sure that IP Virtual Server is built in the kernel or as module?\n"
    }
}
