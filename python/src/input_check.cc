// SPDX-License-Identifier: Apache-2.0
// What is said when the inputs of a run are not what the model takes: everything that is wrong, at once.
#include <algorithm>

#include "python/src/arrays.h"
#include "python/src/errors.h"
#include "python/src/session.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

constexpr size_t kListed = 16;

std::string ShapeText(const ValueType& type) { return py::repr(type.Shape()).cast<std::string>(); }

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + "]";
}

std::string Describe(const NodeArg& arg) {
  std::string text = "'" + arg.name + "' " + arg.type.Text();
  if (arg.type.has_shape) text += " " + ShapeText(arg.type);
  return text;
}

void CompareTensor(const NodeArg& arg, ElementType element, std::span<const int64_t> shape,
                   std::vector<std::string>& problems) {
  const ValueType& type = arg.type;
  const std::string where = "input '" + arg.name + "': ";
  if (element != type.element) {
    problems.push_back(where + "Unexpected input data type: got tensor(" + ElementName(element) + "), expected " +
                       type.Text());
  }
  if (!type.has_shape || type.shape.empty()) return;  // what is declared as a scalar may have any rank
  if (shape.size() != type.shape.size()) {
    problems.push_back(where + "Invalid rank: got " + std::to_string(shape.size()) + " " + ShapeText(shape) +
                       ", expected " + std::to_string(type.shape.size()) + " " + ShapeText(type));
    return;
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    if (type.shape[i] >= 0 && type.shape[i] != shape[i]) {
      problems.push_back(where + "Got invalid dimensions " + ShapeText(shape) + ", expected " + ShapeText(type));
      return;
    }
  }
}

void CompareValue(const NodeArg& arg, py::handle object, std::vector<std::string>& problems) {
  if (arg.type.is_tensor() && IsArray(object.ptr())) {
    const ArrayView view(object.ptr());
    const ElementType element = FromNumpy(view.descr());
    if (element != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) return CompareTensor(arg, element, view.shape(), problems);
  }
  if (object.is_none()) {
    if (!arg.type.optional) problems.push_back("input '" + arg.name + "': got None, expected " + arg.type.Text());
    return;
  }
  const InputValue input = FromPython(object, &arg.type);
  if (!arg.type.is_tensor()) return;
  if (KindOf(input.value) != ONNX_TYPE_TENSOR) {
    problems.push_back("input '" + arg.name + "': got a value that is no tensor, expected " + arg.type.Text());
    return;
  }
  const TensorFacts facts = ReadTensorFacts(input.value);
  CompareTensor(arg, facts.element, facts.shape, problems);
}

std::vector<std::string> FeedNames(const Session& session) {
  std::vector<std::string> names;
  for (const NodeArg& arg : session.inputs()) names.push_back(arg.name);
  for (const NodeArg& arg : session.overridable()) names.push_back(arg.name);
  return names;
}

std::string Join(const Session& session, const std::vector<std::string>& problems) {
  std::string text;
  if (problems.size() == 1) {
    text = problems.front();
  } else {
    text = std::to_string(problems.size()) + " wrong inputs:";
    for (const std::string& problem : problems) text += "\n  - " + problem;
  }
  text += problems.size() == 1 ? " (the model takes " : "\nThe model takes ";
  const auto& inputs = session.inputs();
  for (size_t i = 0; i < inputs.size() && i < kListed; ++i) text += (i == 0 ? "" : ", ") + Describe(inputs[i]);
  if (inputs.size() > kListed) text += " and " + std::to_string(inputs.size() - kListed) + " more";
  if (inputs.empty()) text += "no inputs";
  return problems.size() == 1 ? text + ")" : text;
}

// The number of single-character changes between two names, without regard to case.
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same =
          std::tolower(static_cast<unsigned char>(a[i - 1])) == std::tolower(static_cast<unsigned char>(b[j - 1]));
      const size_t changed = diagonal + (same ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(const std::string& name, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = Distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string Hint(const std::string& name, const std::vector<std::string>& known) {
  if (const std::string nearest = Nearest(name, known); !nearest.empty()) return ", did you mean '" + nearest + "'?";
  std::string text = known.empty() ? ", there are none" : ", valid names are";
  for (size_t i = 0; i < known.size() && i < kListed; ++i) text += (i == 0 ? " '" : ", '") + known[i] + "'";
  return known.size() > kListed ? text + " ..." : text;
}

void ExplainFeed(const Session& session, const py::dict& feed) {
  std::vector<std::string> problems;
  std::vector<std::string> missing;
  for (const NodeArg& arg : session.inputs()) {
    if (arg.type.optional || feed.contains(arg.name)) continue;
    missing.push_back(arg.name);
    problems.push_back("required input " + Describe(arg) + " is missing");
  }
  for (const auto& [key, object] : feed) {
    if (!PyUnicode_Check(key.ptr())) {
      throw py::type_error("the keys of input_feed must be str, not " +
                           py::repr(py::type::handle_of(key)).cast<std::string>());
    }
    const Py_ssize_t index = session.FeedIndex(key.ptr());
    if (index >= 0) {
      CompareValue(session.FeedArg(static_cast<size_t>(index)), object, problems);
      continue;
    }
    const auto name = key.cast<std::string>();
    problems.push_back("Invalid input name: '" + name + "'" +
                       Hint(name, missing.empty() ? FeedNames(session) : missing));
  }
  if (problems.empty()) return;
  const std::string text = Join(session, problems);
  if (!missing.empty()) throw py::value_error(text);
  throw StatusError(ORT_INVALID_ARGUMENT, text);
}

}  // namespace ortrun::python
