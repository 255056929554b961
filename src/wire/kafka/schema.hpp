// Schema: the fields of a message or of a struct inside of it, as a table from which the decoder
// and the encoder work. The source of the tables is Kafka's own definition of its messages
// (kafka.apache.org/protocol). Included by the decoder, the encoder and the tables in
// messages/*.cpp alone.
//
//   constexpr Schema ProduceRequest::Topic::kSchema{{
//       Of<&Topic::name>(),                              // in all versions
//       Of<&Topic::partitions>({.from = 2, .to = 7}),    // in these
//   }};
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"

namespace meridian::wire::kafka {

struct ArrayAccess;

struct Type {
  enum class Kind : uint8_t {
    kBool,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kUuid,
    kString,
    kBytes,
    kRecords,
    kStruct,
    kArray
  };

  Kind kind;
  const Schema* schema = nullptr;      // of kStruct
  const ArrayAccess* array = nullptr;  // of kArray
};

// How to use a std::vector of a type that only its schema knows.
struct ArrayAccess {
  Type element;
  size_t element_bytes;
  size_t (*size)(const void* array);
  const void* (*data)(const void* array);
  void* (*resize)(void* array, size_t size);  // of default elements; returns their address
};

// How to use a std::optional of such a type.
struct OptionalAccess {
  const void* (*get)(const void* optional);  // null: empty
  void* (*emplace)(void* optional);
  void (*reset)(void* optional);
};

struct FieldVersions {
  int16_t from = 0;
  int16_t to = kNoVersion;
  int16_t nullable_from = kNoVersion;  // the member is a std::optional, or a RecordSet
  int16_t tag = -1;  // not -1: a tagged field, whose member is a std::optional or a std::vector; it
                     // is written where that is not empty
};

struct Field {
  Type type;  // of the value within the optional, if it is one
  FieldVersions versions;
  void* (*member)(void* object);
  const OptionalAccess* optional;  // null: the member is the value

  bool InVersion(int16_t version) const {
    return version >= versions.from && version <= versions.to;
  }
  bool tagged() const { return versions.tag >= 0; }
};

struct Schema {
  std::initializer_list<Field> fields;  // in the order of the wire; tagged fields last, by tag
};

namespace internal {

template <class Value>
inline constexpr bool kIsVector = false;
template <class Element>
inline constexpr bool kIsVector<std::vector<Element>> = true;
template <class Value>
inline constexpr bool kIsOptional = false;
template <class Value>
inline constexpr bool kIsOptional<std::optional<Value>> = true;

template <class Value>
constexpr Type TypeOf();

template <class Vector>
inline constexpr ArrayAccess kArrayAccess{
    .element = TypeOf<typename Vector::value_type>(),
    .element_bytes = sizeof(typename Vector::value_type),
    .size = [](const void* array) { return static_cast<const Vector*>(array)->size(); },
    .data = [](const void* array) -> const void* {
      return static_cast<const Vector*>(array)->data();
    },
    .resize = [](void* array, size_t size) -> void* {
      static_cast<Vector*>(array)->resize(size);
      return static_cast<Vector*>(array)->data();
    }};

template <class Optional>
inline constexpr OptionalAccess kOptionalAccess{
    .get = [](const void* optional) -> const void* {
      const auto* typed = static_cast<const Optional*>(optional);
      return typed->has_value() ? &**typed : nullptr;
    },
    // The argument: while its enclosing struct was incomplete, a nested struct was not yet
    // constructible without one.
    .emplace = [](void* optional) -> void* {
      return &static_cast<Optional*>(optional)->emplace(typename Optional::value_type{});
    },
    .reset = [](void* optional) { static_cast<Optional*>(optional)->reset(); }};

template <class Value>
constexpr Type TypeOf() {
  using Kind = Type::Kind;
  if constexpr (std::is_enum_v<Value>) {
    return TypeOf<std::underlying_type_t<Value>>();
  } else if constexpr (std::is_same_v<Value, bool>) {
    return {Kind::kBool};
  } else if constexpr (std::is_same_v<Value, int8_t>) {
    return {Kind::kInt8};
  } else if constexpr (std::is_same_v<Value, int16_t>) {
    return {Kind::kInt16};
  } else if constexpr (std::is_same_v<Value, int32_t>) {
    return {Kind::kInt32};
  } else if constexpr (std::is_same_v<Value, int64_t>) {
    return {Kind::kInt64};
  } else if constexpr (std::is_same_v<Value, Uuid>) {
    return {Kind::kUuid};
  } else if constexpr (std::is_same_v<Value, std::string_view>) {
    return {Kind::kString};
  } else if constexpr (std::is_same_v<Value, Bytes>) {
    return {Kind::kBytes};
  } else if constexpr (std::is_same_v<Value, RecordSet>) {
    return {Kind::kRecords};
  } else if constexpr (kIsVector<Value>) {
    return {.kind = Kind::kArray, .array = &kArrayAccess<Value>};
  } else {
    return {.kind = Kind::kStruct, .schema = &Value::kSchema};
  }
}

template <class Object, class Value>
constexpr Value ValueOf(Value Object::*);
template <class Object, class Value>
constexpr Object ObjectOf(Value Object::*);

}  // namespace internal

// The field of a member, given as &Object::member.
template <auto kMember>
constexpr Field Of(FieldVersions versions = {}) {
  using Object = decltype(internal::ObjectOf(kMember));
  using Value = decltype(internal::ValueOf(kMember));
  auto member = [](void* object) -> void* { return &(static_cast<Object*>(object)->*kMember); };
  if constexpr (internal::kIsOptional<Value>) {
    return {internal::TypeOf<typename Value::value_type>(), versions, member,
            &internal::kOptionalAccess<Value>};
  } else {
    return {internal::TypeOf<Value>(), versions, member, nullptr};
  }
}

}  // namespace meridian::wire::kafka
