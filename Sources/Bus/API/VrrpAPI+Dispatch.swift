// Generated from Sources/Bus/interfaces/io.evenkeel.Vrrp.varlink: change that and run `make generate`.
// Who answers the calls of `io.evenkeel.Vrrp`.
import Varlink

extension VrrpAPI {
    /// One requirement for each method but those of a reload. The parameters have been checked against the interface;
    /// the answer may come later.
    public protocol Handler: AnyObject {
        func list(_ call: List, _ responder: Responder<List>)
        func show(_ call: Show, _ responder: Responder<Show>)
        func failover(_ call: Failover, _ responder: Responder<Failover>)
        func resume(_ call: Resume, _ responder: Responder<Resume>)
    }

    /// Gives each call to its requirement. Neither of the two is kept: when one is gone, a call is answered with
    /// ServiceUnavailable.
    public static func dispatch(to handler: some Handler, reload: some ReloadHandler<VrrpAPI>) -> Dispatch {
        { [weak handler, weak reload] call, pending in
            guard let handler, let reload else { return }
            switch call.method {
            case "io.evenkeel.Vrrp.List": pending.hand(call, to: handler.list)
            case "io.evenkeel.Vrrp.Show": pending.hand(call, to: handler.show)
            case "io.evenkeel.Vrrp.Failover": pending.hand(call, to: handler.failover)
            case "io.evenkeel.Vrrp.Resume": pending.hand(call, to: handler.resume)
            case "io.evenkeel.Vrrp.PrepareReload": pending.hand(call, to: reload.prepareReload)
            case "io.evenkeel.Vrrp.CommitReload": pending.hand(call, to: reload.commitReload)
            case "io.evenkeel.Vrrp.AbortReload": pending.hand(call, to: reload.abortReload)
            default: pending.answer(VarlinkServiceError.methodNotImplemented(call.method).reply)
            }
        }
    }
}
