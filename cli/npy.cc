// SPDX-License-Identifier: Apache-2.0
#include "cli/npy.h"

#include <minizip/unzip.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "cli/element_type.h"

namespace ortrun::cli {
namespace {

[[noreturn]] void Bad(const std::string& where, const std::string& what) {
  throw CliError(kBadInput, "'" + where + "': " + what);
}

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxRank = 32;

/// The text after `'key':` in the header's dictionary.
std::string_view HeaderValue(std::string_view header, std::string_view key, const std::string& where) {
  const size_t at = header.find("'" + std::string(key) + "'");
  const size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  if (colon == std::string_view::npos) Bad(where, "its header has no '" + std::string(key) + "'");
  std::string_view rest = header.substr(colon + 1);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  return rest;
}

std::vector<int64_t> ParseShape(std::string_view text, const std::string& where) {
  const size_t end = text.find(')');
  if (text.empty() || text.front() != '(' || end == std::string_view::npos) Bad(where, "its header has no shape");
  std::vector<int64_t> shape;
  std::istringstream numbers{std::string(text.substr(1, end - 1))};
  for (std::string number; std::getline(numbers, number, ',');) {
    if (number.find_first_not_of(" \t") == std::string::npos) continue;
    char* stop = nullptr;
    const long long dim = std::strtoll(number.c_str(), &stop, 10);
    if (stop == number.c_str() || dim < 0 || shape.size() == kMaxRank) Bad(where, "its shape is not valid");
    shape.push_back(dim);
  }
  return shape;
}

std::string Utf8(const unsigned char* code_points, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    uint32_t c;
    std::memcpy(&c, code_points + 4 * i, 4);
    if (c == 0) break;  // numpy pads with zeros
    if (c < 0x80) {
      text += static_cast<char>(c);
    } else if (c < 0x800) {
      text += static_cast<char>(0xc0 | (c >> 6));
      text += static_cast<char>(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
      text += static_cast<char>(0xe0 | (c >> 12));
      text += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
      text += static_cast<char>(0x80 | (c & 0x3f));
    } else {
      text += static_cast<char>(0xf0 | ((c >> 18) & 0x7));
      text += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
      text += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
      text += static_cast<char>(0x80 | (c & 0x3f));
    }
  }
  return text;
}

std::vector<uint32_t> CodePoints(const std::string& text) {
  std::vector<uint32_t> points;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0xff >> (length + 1));
    for (size_t k = 1; k < length && i + k < text.size(); ++k)
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3f);
    points.push_back(point);
    i += length;
  }
  return points;
}

/// Elements in Fortran order become elements in C order.
std::vector<unsigned char> FromFortran(const std::vector<unsigned char>& data, const std::vector<int64_t>& shape,
                                       size_t element_bytes) {
  std::vector<unsigned char> moved(data.size());
  std::vector<int64_t> index(shape.size(), 0);
  const size_t count = element_bytes == 0 ? 0 : data.size() / element_bytes;
  for (size_t i = 0; i < count; ++i) {
    size_t from = 0;
    size_t stride = 1;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      from += static_cast<size_t>(index[axis]) * stride;
      stride *= static_cast<size_t>(shape[axis]);
    }
    std::memcpy(moved.data() + i * element_bytes, data.data() + from * element_bytes, element_bytes);
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return moved;
}

}  // namespace

Tensor ParseNpy(std::string_view content, const std::string& where) {
  if (content.size() < 10 || content.substr(0, kMagic.size()) != kMagic) Bad(where, "it is no .npy file");
  const bool wide = content[6] >= 2;
  const size_t prefix = wide ? 12 : 10;
  if (content.size() < prefix) Bad(where, "it is cut off in its header");
  size_t header_size = 0;
  for (size_t i = 0; i < prefix - 8; ++i)
    header_size |= static_cast<size_t>(static_cast<unsigned char>(content[8 + i])) << (8 * i);
  if (content.size() - prefix < header_size) Bad(where, "it is cut off in its header");
  const std::string_view header = content.substr(prefix, header_size);
  const std::string_view data = content.substr(prefix + header_size);
  std::string_view quoted = HeaderValue(header, "descr", where);
  const size_t end = quoted.size() < 2 ? std::string_view::npos : quoted.find(quoted.front(), 1);
  if (end == std::string_view::npos || quoted.front() == '[')
    Bad(where, "records are not supported, only plain arrays");
  std::string descriptor(quoted.substr(1, end - 1));
  if (descriptor.size() > 1 && descriptor[0] == '=') descriptor[0] = '<';
  Tensor tensor;
  tensor.shape = ParseShape(HeaderValue(header, "shape", where), where);
  const size_t count = tensor.count();
  size_t element_bytes = 0;
  const bool text = descriptor.size() > 2 && descriptor.substr(0, 2) == "<U";
  if (text) {
    tensor.type = ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
    element_bytes = 4 * static_cast<size_t>(std::strtoul(descriptor.c_str() + 2, nullptr, 10));
  } else {
    const ElementType* type = FindNpyType(descriptor);
    if (type == nullptr)
      Bad(where, "its elements are '" + descriptor + "'; supported are little-endian numbers, bools and unicode text" +
                     (descriptor == "|O" ? " (save the array with dtype=str instead of object)" : ""));
    tensor.type = type->type;
    element_bytes = type->bytes;
  }
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, element_bytes, &bytes) || data.size() < bytes)
    Bad(where,
        "it holds " + std::to_string(data.size()) + " bytes of data where its shape needs " + std::to_string(bytes));
  std::vector<unsigned char> raw(data.begin(), data.begin() + static_cast<ptrdiff_t>(bytes));
  if (HeaderValue(header, "fortran_order", where).substr(0, 4) == "True" && tensor.shape.size() > 1)
    raw = FromFortran(raw, tensor.shape, element_bytes);
  if (!text) {
    tensor.bytes = std::move(raw);
    return tensor;
  }
  for (size_t i = 0; i < count; ++i) tensor.strings.push_back(Utf8(raw.data() + i * element_bytes, element_bytes / 4));
  return tensor;
}

std::string FormatNpy(const Tensor& tensor) {
  std::string descriptor;
  std::string data;
  if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    size_t longest = 1;
    std::vector<std::vector<uint32_t>> texts;
    for (const std::string& text : tensor.strings) {
      texts.push_back(CodePoints(text));
      longest = std::max(longest, texts.back().size());
    }
    descriptor = "<U" + std::to_string(longest);
    for (std::vector<uint32_t>& points : texts) {
      points.resize(longest);
      data.append(reinterpret_cast<const char*>(points.data()), 4 * longest);
    }
  } else if (const ElementType* type = FindType(tensor.type); type != nullptr && type->npy != nullptr) {
    descriptor = type->npy;
    data.assign(tensor.bytes.begin(), tensor.bytes.end());
  } else if (type != nullptr) {
    descriptor = "<f4";
    for (size_t i = 0; i < tensor.count(); ++i) {
      const auto value = static_cast<float>(ElementAsDouble(tensor, i));
      data.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  } else {
    throw CliError(kFailed, "an output has elements of a type that .npy files cannot hold");
  }
  std::string header = "{'descr': '" + descriptor + "', 'fortran_order': False, 'shape': (";
  for (const int64_t dim : tensor.shape) header += std::to_string(dim) + ",";
  header += "), }";
  while ((kMagic.size() + 4 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string content(kMagic);
  content += '\x01';
  content += '\x00';
  content += static_cast<char>(header.size() & 0xff);
  content += static_cast<char>(header.size() >> 8);
  return content + header + data;
}

std::vector<std::pair<std::string, Tensor>> ReadNpz(const std::string& path) {
  const auto close = [](void* zip) { unzClose(zip); };
  const std::unique_ptr<void, decltype(close)> zip(unzOpen64(path.c_str()), close);
  if (zip == nullptr) Bad(path, "it is missing or no .npz file");
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (int state = unzGoToFirstFile(zip.get()); state == UNZ_OK; state = unzGoToNextFile(zip.get())) {
    char name[512] = {};
    unz_file_info64 info{};
    if (unzGetCurrentFileInfo64(zip.get(), &info, name, sizeof(name) - 1, nullptr, 0, nullptr, 0) != UNZ_OK ||
        unzOpenCurrentFile(zip.get()) != UNZ_OK)
      Bad(path, "its list of arrays is damaged");
    std::string content;
    std::vector<char> block(1u << 20);
    int got = 0;
    while ((got = unzReadCurrentFile(zip.get(), block.data(), static_cast<unsigned>(block.size()))) > 0)
      content.append(block.data(), static_cast<size_t>(got));
    if (got < 0 || unzCloseCurrentFile(zip.get()) != UNZ_OK)
      Bad(path, std::string("the array '") + name + "' is damaged");
    std::string key = name;
    if (key.size() > 4 && key.substr(key.size() - 4) == ".npy") key.resize(key.size() - 4);
    std::string place = path;
    place.append(":").append(key);
    arrays.emplace_back(key, ParseNpy(content, place));
  }
  return arrays;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) throw CliError(kBadInput, "'" + path + "' cannot be read");
  return std::move(content).str();
}

void WriteFile(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw CliError(kFailed, "'" + path + "' cannot be written");
}

}  // namespace ortrun::cli
