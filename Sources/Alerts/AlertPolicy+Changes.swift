// What a reload changes about mail, for people who are asked whether they want it.

public import Configuration

extension AlertPolicy {
    /// What becomes different where mail is sent before and after, one line each: about whom, of those who are in both configurations, and
    /// the words around it. Recipients who come or go are not in it.
    public static func mailChanges(from old: Configuration, to new: Configuration) -> [String] {
        guard old.global.mail.isSent, new.global.mail.isSent else { return [] }
        var lines: [String] = []
        let (before, after) = (mail(old).subjects, mail(new).subjects)
        if before != after {
            let staying = AlertPolicy(old) { _ in true }.subjects.intersection(AlertPolicy(new) { _ in true }.subjects)
            lines = before.symmetricDifference(after).intersection(staying).map {
                "\(after.contains($0) ? "start" : "stop") mail about \($0.kind.rawValue) \($0.name)"
            }.sorted()
        }
        var (words, newWords) = (old.global.mail, new.global.mail)
        words.recipients.removeAll { recipient in !newWords.recipients.contains { $0.address == recipient.address } }
        newWords.recipients.removeAll { recipient in !words.recipients.contains { $0.address == recipient.address } }
        if words != newWords { lines.append("change the settings of mail") }
        return lines
    }

    private var subjects: Set<AlertSubject> {
        var subjects = Set(instances.map { AlertSubject(.instance, $0) })
        subjects.formUnion(groups.keys.map { AlertSubject(.group, $0) })
        subjects.formUnion(services.keys.map { AlertSubject(.service, $0) })
        subjects.formUnion(servers.keys.map { AlertSubject(.server, $0) })
        return subjects
    }
}
