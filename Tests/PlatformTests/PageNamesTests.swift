// What programs tell people to read is there: every page, and every heading, that a source file names.
import Foundation
import Testing

@Suite struct PageNamesTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Headings of a page; nil when there is no such page.
    private func headings(of page: Substring) -> [String]? {
        guard let text = try? String(contentsOf: Self.repository.appending(path: page), encoding: .utf8) else {
            return nil
        }
        return text.split(separator: "\n").filter { $0.hasPrefix("#") }
            .map { String($0.drop { $0 == "#" }).trimmingCharacters(in: .whitespaces) }
    }

    @Test func `pages and headings that the sources name exist`() throws {
        let folder = Self.repository.appending(path: "Sources")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        let name = /(docs\/[A-Za-z]+\.md)(?:, \\?"([^"\\]+)\\?")?/
        var pages = 0
        var sections = 0
        for case let file as URL in files where ["swift", "c", "h", "varlink"].contains(file.pathExtension) {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: name) {
                pages += 1
                let found = headings(of: match.1)
                #expect(found != nil, "\(file.lastPathComponent) names \(match.1), which is not there")
                guard let section = match.2 else { continue }
                sections += 1
                #expect(
                    found?.contains(String(section)) == true,
                    "\(file.lastPathComponent): \(match.1) has no heading \"\(section)\"")
            }
        }
        #expect(pages > 0 && sections > 0, "nothing was looked at")
    }
}
