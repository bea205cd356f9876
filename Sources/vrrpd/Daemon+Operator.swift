// What an operator may ask: step down and take part again. A sync group moves as one.

import Net
import Platform
import VRRP

extension Daemon {
    /// Hands the addresses of the instance (and of its group) to another router.
    /// - Returns: false when it had stepped down before.
    func stepDown(_ name: String) -> Bool {
        operate(on: name) { router, loop in router.isSteppedDown ? nil : router.stepDown(at: loop) }
    }

    /// Lets the instance (and its group) take part again.
    /// - Returns: false when it had not stepped down.
    func resume(_ name: String) -> Bool {
        operate(on: name) { router, _ in
            guard router.isSteppedDown else { return nil }
            router.resume()
            return []
        }
    }

    private func operate(on name: String, _ step: (inout VirtualRouter, Instant) -> [Action]?) -> Bool {
        var changed = false
        for member in routers.companions(of: name) {
            perform(
                routers.apply(to: member, at: loop.now) { router in
                    guard let actions = step(&router, loop.now) else { return [] }
                    changed = true
                    return actions
                })
            guard let instance = instance(named: member) else { continue }
            rearm(instance)
            publishSoon(instance)
        }
        if changed { saveSteppedDown() }
        return changed
    }
}
