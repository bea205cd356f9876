// Generated from Sources/Bus/interfaces/io.evenkeel.Script.varlink: change that and run `make generate`.
// Who answers the calls of `io.evenkeel.Script`.
import Varlink

extension ScriptAPI {
    /// One requirement for each method but those of a reload. The parameters have been checked against the interface;
    /// the answer may come later.
    public protocol Handler: AnyObject {
        func run(_ call: Run, _ responder: Responder<Run>)
        func end(_ call: End, _ responder: Responder<End>)
        func write(_ call: Write, _ responder: Responder<Write>)
        func hold(_ call: Hold, _ responder: Responder<Hold>)
        func list(_ call: List, _ responder: Responder<List>)
    }

    /// Gives each call to its requirement. The handler is not kept: when it is gone, a call is answered with
    /// ServiceUnavailable.
    public static func dispatch(to handler: some Handler) -> Dispatch {
        { [weak handler] call, pending in
            guard let handler else { return }
            switch call.method {
            case "io.evenkeel.Script.Run": pending.hand(call, to: handler.run)
            case "io.evenkeel.Script.End": pending.hand(call, to: handler.end)
            case "io.evenkeel.Script.Write": pending.hand(call, to: handler.write)
            case "io.evenkeel.Script.Hold": pending.hand(call, to: handler.hold)
            case "io.evenkeel.Script.List": pending.hand(call, to: handler.list)
            default: pending.answer(VarlinkServiceError.methodNotImplemented(call.method).reply)
            }
        }
    }
}
