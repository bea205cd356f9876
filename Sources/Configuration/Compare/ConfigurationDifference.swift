// What two configurations say differently, block by block and word by word, and whose traffic that touches: what `lbctl config diff` shows.
// It compares the values that count, so a line that was moved, or written where it stood as a default, is no difference.

/// One block that differs.
public struct ConfigurationDifference: Equatable, Sendable {
    /// What became of it.
    public enum Kind: String, Equatable, Sendable {
        case added, removed, changed
    }

    /// A word with another value.
    public struct Word: Equatable, Sendable {
        /// The word.
        public var word: String
        /// What counted before; nil = it was not there.
        public var before: String?
        /// What counts now; nil = it is not there any more.
        public var after: String?
    }

    /// What became of it.
    public var kind: Kind
    /// The blocks that it is in, outermost first, and itself: `virtual_server 192.0.2.1 80`, `real_server 192.0.2.11 80`.
    public var path: [String]
    /// Where it stands: in the new file, else in the old one.
    public var position: SourcePosition
    /// The words that differ; none for a block that was added or removed.
    public var words: [Word]
    /// Whom it touches.
    public var effect: String
}

extension LoadedConfiguration {
    /// What going over to `new` changes. Both must have been read with `LoadOptions.collectsValues`.
    public func differences(to new: LoadedConfiguration) -> [ConfigurationDifference] {
        let (before, after) = (PathBlocks(blocks), PathBlocks(new.blocks))
        var result: [ConfigurationDifference] = []
        for (path, titles, block) in before.inOrder where after.byPath[path] == nil {
            // What goes with its parent is not named by itself.
            guard path.count < 2 || after.byPath[Array(path.dropLast())] != nil else { continue }
            result.append(block.difference(.removed, titles, []))
        }
        for (path, titles, block) in after.inOrder {
            guard let old = before.byPath[path] else {
                guard path.count < 2 || before.byPath[Array(path.dropLast())] != nil else { continue }
                result.append(block.difference(.added, titles, []))
                continue
            }
            let words = old.words(differingIn: block)
            if !words.isEmpty { result.append(block.difference(.changed, titles, words)) }
        }
        return result
    }
}

/// Blocks by what tells them apart within those that they are in: their titles, an instance by its virtual router (a new name is a change, as
/// it is to vrrpd). Blocks of one title (two TCP_CHECKs of a server, say) are counted.
private struct PathBlocks {
    var byPath: [[String]: EffectiveBlock] = [:]
    var inOrder: [(path: [String], titles: [String], block: EffectiveBlock)] = []

    init(_ blocks: [EffectiveBlock]) {
        var path: [String] = []
        var titles: [String] = []
        for block in blocks {
            let surplus = max(0, path.count - max(0, block.depth - 1))
            path.removeLast(surplus)
            titles.removeLast(surplus)
            let title = block.depth == 0 ? "the file" : block.title
            let key = block.virtualRouter ?? title
            var own = path + [key]
            var count = 1
            while byPath[own] != nil {
                count += 1
                own = path + ["\(key) (\(count))"]
            }
            byPath[own] = block
            let ownTitles = titles + [count > 1 ? "\(title) (\(count))" : title]
            inOrder.append((own, ownTitles, block))
            if block.depth > 0 { (path, titles) = (own, ownTitles) }
        }
    }
}

extension EffectiveBlock {
    /// What makes an instance the same one under another name.
    fileprivate var virtualRouter: String? {
        guard kind == BlockKind.instance.rawValue else { return nil }
        func value(_ word: String) -> String { settings.first { $0.word == word }?.value ?? "" }
        let family = value("virtual_ipaddress").contains(":") ? "inet6" : "inet"
        return [kind, value("virtual_router_id"), value("interface"), family].joined(separator: " ")
    }

    fileprivate func difference(
        _ kind: ConfigurationDifference.Kind, _ path: [String], _ words: [ConfigurationDifference.Word]
    ) -> ConfigurationDifference {
        ConfigurationDifference(
            kind: kind, path: path, position: position, words: words, effect: effect(kind, Set(words.map(\.word))))
    }

    /// Words whose values differ; lines of a list that are in one of the two only.
    fileprivate func words(differingIn new: EffectiveBlock) -> [ConfigurationDifference.Word] {
        let (before, after) = (values, new.values)
        var seen: Set<String> = []
        let name: [ConfigurationDifference.Word] =
            virtualRouter == nil || title == new.title ? [] : [.init(word: "name", before: title, after: new.title)]
        let order = (settings + new.settings).map(\.word).filter { seen.insert($0).inserted }
        return name
            + order.flatMap { word -> [ConfigurationDifference.Word] in
                let (old, now) = (before[word] ?? [], after[word] ?? [])
                if old.count == 1, now.count == 1 {
                    return old == now ? [] : [.init(word: word, before: old[0].value, after: now[0].value)]
                }
                return old.filter { !now.contains($0) }.map { .init(word: word, before: $0.value, after: nil) }
                    + now.filter { !old.contains($0) }.map { .init(word: word, before: nil, after: $0.value) }
            }
    }

    private struct Value: Equatable {
        var value: String
        var secret: String?
    }

    private var values: [String: [Value]] {
        Dictionary(grouping: settings, by: \.word).mapValues { $0.map { Value(value: $0.value, secret: $0.secret) } }
    }

    /// Whose traffic, in a sentence without a full stop.
    private func effect(_ kind: ConfigurationDifference.Kind, _ words: Set<String>) -> String {
        switch BlockKind(rawValue: self.kind) {
        case .instance:
            switch kind {
            case .added: return "this director takes part in one more election; traffic comes when it wins"
            case .removed: return "a master gives the addresses up: their traffic goes to a backup, or nowhere"
            case .changed: return instanceEffect(words)
            }
        case .virtualServer:
            switch kind {
            case .added: return "clients of this service are taken from now on"
            case .removed: return "new clients of this service are refused; connections are cut off"
            case .changed:
                let table = words.intersection([
                    "lb_algo", "persistence_timeout", "persistence_granularity", "lb_kind", "quorum", "hysteresis",
                ])
                return table.isEmpty
                    ? "no connection is touched" : "new clients are spread otherwise; connections stay where they are"
            }
        case .realServer:
            switch kind {
            case .added: return "new clients reach it once its checks succeed"
            case .removed: return "it drains: no new clients, its connections end within lvs_drain_removed"
            case .changed:
                return words.contains("weight")
                    ? "its share of new clients changes; connections stay" : "its connections stay"
            }
        case .tcpCheck, .httpGet, .sslGet, .url, .smtpCheck, .smtpHost, .dnsCheck, .pingCheck, .udpCheck, .miscCheck,
            .fileCheck, .bfdCheck:
            return "the last verdict stays until the changed check has one"
        case .syncGroup, .script, .trackFile, .trackProcess, .trackUnit, .bfd, .trackGroup, .authentication,
            .authenticationHMAC:
            return "elections may come out otherwise: addresses may move"
        case .globalDefinitions, .file, .garpGroup, .ssl, .list, .unknown, nil:
            return "no connection is touched by this alone"
        }
    }

    private func instanceEffect(_ words: Set<String>) -> String {
        if words.contains("version") {
            return "the instance begins anew: its addresses may move"
        }
        if !words.isDisjoint(with: [
            "virtual_ipaddress", "virtual_ipaddress_excluded", "virtual_routes", "virtual_rules",
        ]) {
            return "a master adds and removes these; traffic of the others goes on"
        }
        if !words.isDisjoint(with: ["priority", "nopreempt", "preempt_delay", "track_script", "track_interface"]) {
            return "the election may come out otherwise: its addresses may move"
        }
        if !words.isDisjoint(with: ["advert_int", "auth_pass", "auth_type", "unicast_peer", "mcast_dst_ip"]) {
            return "must change on the other directors at the same time, or both become master"
        }
        return "its addresses stay where they are"
    }
}
