// What a library of precompiled headers is made of beside them: CMake wants a source file.
