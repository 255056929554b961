#include "site/document.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "site/limits.hpp"

namespace meridian::site {
namespace {

SourceSpan Span(const toml::source_region& region) {
  bool one_line = region.end.line == region.begin.line && region.end.column > region.begin.column;
  return {.line = region.begin.line,
          .column = region.begin.column,
          .width = one_line ? region.end.column - region.begin.column : 1};
}

// Copies the library's tree. After a value that is too deep, `too_deep` says where it is.
class Converter {
 public:
  Value Convert(const toml::node& node, size_t depth) {
    Value value;
    value.where = Span(node.source());
    if (depth > kMaxTomlDepth) {
      if (!too_deep) too_deep = value.where;
      return value;
    }
    switch (node.type()) {
      case toml::node_type::table:
        Table(*node.as_table(), depth, &value);
        break;
      case toml::node_type::array:
        value.kind = Value::Kind::kArray;
        for (const toml::node& element : *node.as_array()) {
          value.elements.push_back(Convert(element, depth + 1));
        }
        break;
      default:
        Scalar(node, &value);
    }
    return value;
  }

  std::optional<SourceSpan> too_deep;

 private:
  void Table(const toml::table& table, size_t depth, Value* value) {
    value->kind = Value::Kind::kTable;
    for (auto&& [key, child] : table) {
      value->entries.push_back(Entry{.key = std::string(key.str()),
                                     .where = Span(key.source()),
                                     .value = Convert(child, depth + 1)});
    }
    std::ranges::sort(value->entries, {}, &Entry::where);
  }

  static void Scalar(const toml::node& node, Value* value) {
    if (const auto* text = node.as_string()) {
      value->kind = Value::Kind::kText;
      value->text = text->get();
    } else if (const auto* integer = node.as_integer()) {
      value->kind = Value::Kind::kInteger;
      value->integer = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
      value->kind = Value::Kind::kNumber;
      value->number = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
      value->kind = Value::Kind::kBoolean;
      value->boolean = boolean->get();
    } else {
      value->kind = Value::Kind::kDate;
    }
  }
};

std::optional<Diagnostic> FindLongLine(std::string_view text) {
  for (uint32_t line = 1; !text.empty(); ++line) {
    size_t end = std::min(text.find('\n'), text.size());
    if (end > kMaxSiteLineBytes) {
      return Diagnostic{.where = {.line = line, .column = 1},
                        .problem = fmt::format("the line has {} bytes; at most {} are allowed", end,
                                               kMaxSiteLineBytes),
                        .hint = "break the array or text over several lines"};
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

const Entry* Value::Find(std::string_view key) const {
  auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

std::string_view KindName(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kText:
      return "a string";
    case Value::Kind::kInteger:
      return "an integer";
    case Value::Kind::kNumber:
      return "a number";
    case Value::Kind::kBoolean:
      return "a boolean";
    case Value::Kind::kDate:
      return "a date or time";
    case Value::Kind::kArray:
      return "an array";
    case Value::Kind::kTable:
      return "a table";
  }
  return "a value";
}

std::expected<Value, Diagnostic> ParseToml(std::string_view text) {
  if (std::optional<Diagnostic> long_line = FindLongLine(text)) return std::unexpected(*long_line);
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    std::string problem(error.description());
    constexpr std::string_view kPreamble = "Error while parsing ";
    if (problem.starts_with(kPreamble)) problem = "in this " + problem.substr(kPreamble.size());
    return std::unexpected(Diagnostic{
        .where = Span(error.source()), .problem = "not valid TOML: " + problem, .hint = {}});
  }
  Converter converter;
  Value root = converter.Convert(parsed.table(), 0);
  if (converter.too_deep) {
    return std::unexpected(
        Diagnostic{.where = *converter.too_deep,
                   .problem = fmt::format("nested deeper than {} levels", kMaxTomlDepth),
                   .hint = {}});
  }
  return root;
}

}  // namespace meridian::site
