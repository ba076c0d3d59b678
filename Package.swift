// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

/// Kernels without optimisation are 20 to 60 times slower, so debug builds optimise them too.
let kernels: [CSetting] = [.unsafeFlags(["-O2"], .when(configuration: .debug))]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let dequeModule = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let themes = ["terminal", "dark", "light", "high-contrast", "colorblind", "mono"]

/// A library target of this package; the list of its imports is the list of arrows in the design.
func room(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: swift)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies, exclude: exclude,
    swiftSettings: swift)
}

let package = Package(
  name: "lathe",
  products: [.executable(name: "lathe", targets: ["lathe"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
  ],
  targets: [
    .target(name: "CKernels", cSettings: kernels),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CNcurses", providers: [.apt(["libncurses-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    room("Tensors", ["CKernels"]),
    room("Graph", ["Tensors", "CKernels"]),
    room("Operators", ["Graph", "Tensors", "CKernels"]),
    room("Execution", ["Operators", "Graph", "Tensors", "CKernels"]),
    room("Datasets", ["Tensors", "CZlib", yams]),
    room("Formats", ["Operators", "Graph", "Tensors", "CKernels", protobuf], exclude: ["ONNX/onnx.proto"]),
    room(
      "Quantization", ["Execution", "Operators", "Graph", "Tensors", "CKernels", yams]),
    room(
      "Training",
      ["Quantization", "Execution", "Operators", "Datasets", "Graph", "Tensors", "CKernels"]),
    room(
      "LanguageModels",
      ["Formats", "Datasets", "Execution", "Operators", "Graph", "Tensors", "CKernels"]),
    room("Evaluation", ["Quantization", "Execution", "Datasets", "Graph", "Tensors", "CKernels"]),
    room("Jobs", ["Tensors", dequeModule]),
    room(
      "Workflows",
      [
        "LanguageModels", "Training", "Evaluation", "Jobs", "Quantization", "Formats", "Datasets",
        "Execution",
        "Operators", "Graph", "Tensors", "CKernels", yams,
      ]),
    room(
      "Analysis",
      [
        "Workflows", "Jobs", "Evaluation", "Quantization", "Formats", "Datasets", "Execution", "Operators",
        "Graph", "Tensors", "CKernels",
      ]),
    room(
      "Exporters",
      [
        "Analysis", "Workflows", "Evaluation", "Jobs", "Quantization", "Formats", "Datasets", "Execution",
        "Graph", "Tensors",
      ]),
    room(
      "Workbench",
      [
        "Jobs", "Exporters", "Analysis", "Workflows", "Training", "Evaluation", "Quantization", "Graph",
        "Tensors",
      ]),
    room("Interface", [yams], resources: themes.map { .embedInCode("../../themes/\($0).yaml") }),
    room(
      "Panes",
      [
        "Interface", "Workbench", "Exporters", "Analysis", "Workflows", "Training", "Evaluation",
        "Quantization",
        "Jobs", "Graph", "Tensors",
      ]),
    room(
      "Screen",
      ["Panes", "Interface", "Workbench", "Workflows", "Datasets", "Quantization", "Jobs", "Graph"]),
    room("Terminal", ["Interface", "CNcurses"]),
    .executableTarget(
      name: "lathe",
      dependencies: [
        "Terminal", "Screen", "Panes", "Interface", "Workbench", "Jobs", "Exporters", "Analysis", "Workflows",
        "Evaluation",
        "LanguageModels", "Quantization", "Formats", "Datasets", "Execution", "Operators", "Graph", "Tensors",
        "CMalloc",
        argumentParser,
      ],
      swiftSettings: swift),
    tests("Tensors", ["Datasets"]),
    tests("Operators", ["Formats", "Graph", "Tensors"]),
    tests("Execution", ["Operators", "Graph", "Tensors", "CKernels", "Formats", "Quantization"]),
    tests("Datasets", ["Tensors"]),
    tests("Formats", ["Operators", "Graph", "Tensors"]),
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .target(name: "GoldenFiles", path: "Tests/GoldenFiles", swiftSettings: swift),
    tests(
      "Quantization", ["Execution", "Operators", "Graph", "Tensors", "Formats", "CAllocations"],
      exclude: ["Golden"]),
    tests(
      "Training",
      ["Quantization", "Execution", "Operators", "Datasets", "Graph", "Tensors", "CKernels"]),
    tests(
      "LanguageModels",
      ["Formats", "Datasets", "Execution", "Operators", "Graph", "Tensors", "CKernels", "CAllocations"]),
    tests("Evaluation", ["Tensors"]),
    tests(
      "Workflows",
      [
        "LanguageModels", "Evaluation", "Execution", "Quantization", "Formats", "Datasets", "Operators",
        "Graph", "Tensors", "Jobs",
        "CAllocations",
      ]),
    tests(
      "Analysis",
      [
        "Workflows", "Jobs", "Evaluation", "Quantization", "Formats", "Datasets", "Execution", "Operators",
        "Graph", "Tensors",
      ]),
    tests(
      "Exporters",
      ["Analysis", "Workflows", "Evaluation", "Jobs", "Quantization", "Operators", "Graph", "Tensors"]),
    tests("Jobs", ["Tensors"]),
    tests(
      "Workbench",
      [
        "Analysis", "Workflows", "Training", "Quantization", "Operators", "Graph", "Tensors", "Jobs",
        "Evaluation",
      ]),
    tests("Interface", ["GoldenFiles"]),
    tests(
      "Screen",
      [
        "Panes", "Interface", "Workbench", "Analysis", "Workflows", "Training", "Quantization", "Operators",
        "Graph", "Tensors", "Jobs", "Evaluation", "GoldenFiles",
      ]),
    tests("Terminal", ["Interface"]),
    .testTarget(name: "CKernelsTests", dependencies: ["CKernels"], swiftSettings: swift),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
