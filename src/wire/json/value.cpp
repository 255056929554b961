#include "wire/json/value.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace meridian::wire::json {

Value::Value() = default;
Value::Value(Content content) : content_(std::move(content)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

std::optional<bool> Value::boolean() const {
  const bool* value = std::get_if<bool>(&content_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<uint64_t> Value::whole_number() const {
  const auto* value = std::get_if<uint64_t>(&content_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<int64_t> Value::integer() const {
  if (const auto* value = std::get_if<int64_t>(&content_)) return *value;
  const auto* value = std::get_if<uint64_t>(&content_);
  if (value == nullptr || !std::in_range<int64_t>(*value)) return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::optional<double> Value::number() const {
  if (const auto* value = std::get_if<double>(&content_)) return *value;
  if (const auto* value = std::get_if<int64_t>(&content_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<uint64_t>(&content_)) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<std::string_view> Value::text() const {
  const auto* value = std::get_if<std::string>(&content_);
  return value != nullptr ? std::optional<std::string_view>(*value) : std::nullopt;
}

std::span<const Value> Value::elements() const {
  const auto* array = std::get_if<Array>(&content_);
  return array != nullptr ? std::span<const Value>(*array) : std::span<const Value>();
}

std::span<const Member> Value::members() const {
  const auto* object = std::get_if<Object>(&content_);
  return object != nullptr ? std::span<const Member>(*object) : std::span<const Member>();
}

const Value* Value::Find(std::string_view name) const {
  for (const Member& member : members() | std::views::reverse) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

bool Value::BooleanOf(std::string_view name) const {
  const Value* value = Find(name);
  return value != nullptr && value->boolean().value_or(false);
}

uint64_t Value::WholeNumberOf(std::string_view name) const {
  const Value* value = Find(name);
  return value != nullptr ? value->whole_number().value_or(0) : 0;
}

int64_t Value::IntegerOf(std::string_view name) const {
  const Value* value = Find(name);
  return value != nullptr ? value->integer().value_or(0) : 0;
}

double Value::NumberOf(std::string_view name) const {
  const Value* value = Find(name);
  return value != nullptr ? value->number().value_or(0) : 0;
}

std::string Value::TextOf(std::string_view name) const {
  const Value* value = Find(name);
  return std::string(value != nullptr ? value->text().value_or("") : "");
}

std::span<const Value> Value::ElementsOf(std::string_view name) const {
  const Value* value = Find(name);
  return value != nullptr ? value->elements() : std::span<const Value>();
}

}  // namespace meridian::wire::json
