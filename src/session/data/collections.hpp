// Fields, Members: what a key that is a hash or a set holds. See collection.hpp.
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
