package clientindex

// Sized is New with other limits.
var Sized = sized
