import Testing
@testable import checkd
