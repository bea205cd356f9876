// From the running configuration to a new one, disturbing nothing that stays the same. Blocks are matched by what makes them the same
// virtual router, not by name; what went is stopped first, so that an address may move from one instance to another in one reload.

import Configuration
import Net
import Netlink
import Platform
import VRRP

extension Daemon {
    /// What `reload` would do, one line each.
    func changes(to new: Configuration) -> [String] {
        let old = Dictionary(instances.map { ($0.identity, $0.configuration) }) { first, _ in first }
        let kept = Set(new.instances.map(\.identity.description))
        var lines = instances.filter { !kept.contains($0.identity) }.map { "vrrp_instance \($0.name): stop" }
        for block in new.instances {
            switch old[block.identity.description] {
            case nil: lines.append("vrrp_instance \(block.name): start")
            case let before? where before.name != block.name:
                lines.append("vrrp_instance \(before.name): change, and rename to \(block.name)")
            case let before? where before != block: lines.append("vrrp_instance \(block.name): change")
            case .some: break
            }
        }
        if new.syncGroups != configuration.syncGroups { lines.append("vrrp_sync_group: change") }
        return lines
    }

    /// Goes over to the new configuration.
    func reload(_ new: Configuration) {
        let blocks = Dictionary(new.instances.map { ($0.identity.description, $0) }) { first, _ in first }
        for instance in instances where blocks[instance.identity] == nil { remove(instance) }
        instances.removeAll { blocks[$0.identity] == nil }
        configuration = new
        rename(blocks)
        routers.setGroups(groups)
        for instance in instances {
            if let block = blocks[instance.identity] { reconfigure(instance, block) }
        }
        let known = Set(instances.map(\.identity))
        let added = new.instances.filter { !known.contains($0.identity.description) }
        for block in added { add(block, steppedDown: []) }
        let order = Dictionary(new.instances.enumerated().map { ($1.name, $0) }) { first, _ in first }
        instances.sort { order[$0.name, default: 0] < order[$1.name, default: 0] }
        writeHeartbeat(masters: Set(instances.map(\.name).filter { routers[$0]?.state.name == .master }))
        saveSteppedDown()
        for block in added { start(block.name) }
    }

    private func remove(_ instance: Instance) {
        perform(routers.apply(to: instance.name, at: loop.now) { $0.stop() })
        instance.timer.disarm()
        routers.remove(instance.name)
        for key in ["instance", "addresses"] { alarms.set("\(key)/\(instance.name)", nil) }
        withdraw?(instance.name)
    }

    /// Machines are known by name: move them all before any is used under its new one.
    private func rename(_ blocks: [String: VRRPInstanceConfiguration]) {
        var moved: [(router: VirtualRouter, name: String)] = []
        for instance in instances {
            guard let block = blocks[instance.identity], block.name != instance.name,
                let router = routers[instance.name]
            else { continue }
            routers.remove(instance.name)
            withdraw?(instance.name)
            moved.append((router, block.name))
        }
        for (router, name) in moved { routers.insert(router, named: name) }
    }

    private func reconfigure(_ instance: Instance, _ block: VRRPInstanceConfiguration) {
        let parameters = RouterConfiguration(block, isGrouped: isGrouped(block.name))
        let before = instance.changes(adding: false, in: table).map(\.address)
        let removals = removals(of: instance)
        let isSame = instance.configuration == block && routers[block.name]?.configuration == parameters
        guard !isSame else { return }
        instance.reconfigure(block)
        if instance.isHolding {
            let after = instance.changes(adding: true, in: table).map(\.address)
            let gone = removals.filter { !after.contains($0.address) }
            let new = after.filter { !before.contains($0) }.map(AddressChange.add)
            if !(gone + new).isEmpty { change(gone + new, because: instance.name) }
            if !new.isEmpty { announce(instance, instance.schedule.start(.becameMaster, at: loop.now)) }
        }
        perform(routers.apply(to: block.name, at: loop.now) { $0.reconfigure(parameters, at: loop.now) })
        refresh(instance)
        publishSoon(instance)
    }
}
