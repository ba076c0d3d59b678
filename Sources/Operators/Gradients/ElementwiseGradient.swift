import CKernels
import Graph
import Tensors

/// A function of one element whose derivative is computed from that element alone, in one node.
///
/// Functions whose derivative is made of others that have fast kernels write it as graph instead.
package protocol DifferentiableFunction: UnaryFunction, DifferentiableOperator {
  /// The derivative dy/dx; at a kink that of one side, or a number between.
  func slope<T: RealElement>(_ x: T) -> T
}

extension DifferentiableFunction {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.add(ElementwiseGradient(self), site.input(0), site.upstreamOfFirst())]
  }

  /// Writes g · dy/dx of `count` elements; out may be g.
  fileprivate func multiply<T: RealElement>(
    _ x: UnsafePointer<T>, _ g: UnsafePointer<T>, _ count: Int, _ out: UnsafeMutablePointer<T>
  ) {
    for i in 0..<count { out[i] = g[i] * slope(x[i]) }
  }
}

/// The gradient of a function of one element: ∂loss/∂y · dy/dx.
///
/// - Inputs: x, the function's input; g = ∂loss/∂y. Output: ∂loss/∂x.
package struct ElementwiseGradient: Operator {
  package static let name = OperatorName("ElementwiseGradient", domain: "lathe", since: 1)
  package let function: any DifferentiableFunction

  package init(_ function: any DifferentiableFunction) { self.function = function }

  /// The function's type as `function`, beside its own attributes.
  package init(attributes: Attributes) throws {
    let type = try attributes.required("function", attributes.string("function"))
    guard let found = Catalog.find(domain: "", type: type) as? any DifferentiableFunction.Type else {
      throw OperatorError("attribute \"function\" is \"\(type)\", which is no function with a derivative")
    }
    function = try found.init(attributes: attributes)
  }

  package var attributes: Attributes {
    function.attributes.merging(["function": .string(type(of: function).name.type)]) { $1 }
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferUpstream(inputs, "x")]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (x, g) = (try inputs.required(0, "x"), try inputs.required(1, "g"))
    _ = try inferUpstream(inputs.map { $0.map { OperandInfo(type: $0.type, shape: $0.shape) } }, "x")
    return [try x.type.dispatchReal(Run(function: function, x: x, g: g))]
  }

  private struct Run: RealVisitor {
    let function: any DifferentiableFunction
    let x, g: Tensor

    func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
      let result = x.converted(to: T.elementType).withElements(of: T.self) { x in
        g.converted(to: T.elementType).withElements(of: T.self) { g in
          Tensor(of: T.self, shape: self.x.shape) { out in
            guard let x = x.baseAddress, let g = g.baseAddress, let to = out.baseAddress else { return }
            function.multiply(x, g, out.count, to)
          }
        }
      }
      return result.converted(to: x.type)
    }
  }
}

/// What an operator says of its output from a tensor of the forward pass and ∂loss/∂y of the same form.
func inferUpstream(_ inputs: [OperandInfo?], _ label: String) throws -> OperandInfo {
  let x = try inputs.required(0, label)
  let g = try inputs.required(1, "g")
  try x.require(label, \.isReal, "a float type")
  try requireSameType(x.type, g.type)
  if let a = x.shape, let b = g.shape, a != b {
    throw OperatorError(
      "\(label) has shape \(a.shapeText) and g \(b.shapeText), expected one shape")
  }
  return OperandInfo(type: x.type, shape: x.shape ?? g.shape)
}

extension ElementwiseGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    let function = function
    return upstreamCall(site, label: "\(type(of: function).name.type) gradient") {
      function.multiply($0, $1, $2, $3)
    }
  }
}

/// The call of a function of each element of the first input and of ∂loss/∂y.
///
/// Whatever order the upstream lies in, both are read in the first input's.
func upstreamCall(
  _ site: LoweringSite, label: String,
  _ run: @escaping (UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void
) -> KernelCall? {
  guard let x = site.input(0), let g = site.input(1), x.info.type == .float32, let count = x.info.count
  else { return nil }
  var call = KernelCall(
    label,
    reads: [
      KernelCall.Read(.input(0), x.decoded(x.layout)), KernelCall.Read(.input(1), g.decoded(x.layout)),
    ],
    writes: [Form(.plain, x.layout)], inPlace: 1
  ) { memory in
    let (x, g) = (memory.reads[0].of(Float.self), memory.reads[1].of(Float.self))
    let to = memory.writes[0].of(Float.self)
    return [
      Phase.over(count, grain: elementGrain) { start, end in
        run(x + start, g + start, end - start, to + start)
      }
    ]
  }
  call.elements = count
  return call
}
