// Fields, Members: the content of a key that is a hash or a set. See collection.hpp.
#pragma once

#include "session/data/collection.hpp"
#include "session/data/field.hpp"
#include "session/data/member.hpp"

namespace meridian::session {

using Fields = Collection<Field>;
using Members = Collection<Member>;
extern template class Collection<Field>;
extern template class Collection<Member>;

}  // namespace meridian::session
